import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "@jest/globals";
import { CONFORMANCE_PATH, parseAnswers, waitFor } from "@push-reports/test-support";
import type { HttpConfig } from "../../src/config.js";
import { LINGER_MS, MAX_DISCARDED_BYTES } from "../../src/server/linger.js";
import { InMemoryReportPublisher } from "../fakes/in-memory-report-publisher.js";
import { startGateway } from "../support/start-gateway.js";

const BODY = '{"event":"open","publishId":"p","deviceId":"d","timestampSecs":1}';
const POST = `POST ${CONFORMANCE_PATH} HTTP/1.1\r\ncontent-type: application/json\r\n`;
const GOOD = `${POST}content-length: ${BODY.length}\r\n\r\n${BODY}`;
/** Until node:http has found what is late, ms. */
const LATE_MS = 1_600;
const SHORT: Partial<HttpConfig> = { headersTimeoutMs: 400, requestTimeoutMs: 600 };

/** What follows a good request whose answer is awaited, and the status that it gets. */
const SECONDS: readonly (readonly [string, string, number, Partial<HttpConfig>])[] = [
  [
    "has a body without end",
    `${POST}content-length: 50000000\r\n\r\n${"x".repeat(2 * MAX_DISCARDED_BYTES)}`,
    400,
    {},
  ],
  ["cannot be read", `${POST}transfer-encoding: chunked\r\n\r\nzz\r\n`, 400, {}],
  ["is no HTTP", "garbage\r\n\r\n", 400, {}],
  ["stops half-way in its head", POST, 503, SHORT],
  ["stops half-way in its body", `${POST}content-length: 500\r\n\r\n{`, 503, SHORT],
  [
    "leaves away the body of what is not found",
    "POST /x HTTP/1.1\r\ncontent-length: 9\r\n\r\n",
    404,
    SHORT,
  ],
  [
    "is one too many",
    `${POST}content-length: 500\r\n\r\n{`,
    503,
    { ...SHORT, maxInFlightRequests: 1 },
  ],
  [
    "is one too many and the last",
    `${POST}connection: close\r\ncontent-length: 500\r\n\r\n{`,
    503,
    { maxInFlightRequests: 1 },
  ],
];

/** What comes on a connection that sends a good request and `second` at once, before the good one is durable and in all. */
async function answersTo(second: string, overrides: Partial<HttpConfig>) {
  const publisher = new InMemoryReportPublisher();
  let open: () => void = () => {};
  publisher.gate = new Promise((resolve) => {
    open = resolve;
  });
  const gateway = await startGateway(publisher, overrides);
  const client = connect({ port: gateway.port, host: "127.0.0.1", allowHalfOpen: true });
  let text = "";
  let hasEnded = false;
  client.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
  });
  for (const event of ["error", "end", "close"])
    client.on(event, () => {
      hasEnded = true;
    });
  client.write(GOOD + second);
  await delay((overrides.requestTimeoutMs === undefined ? 0 : LATE_MS) + LINGER_MS + 400);
  const before = text;
  open();
  await waitFor(() => Promise.resolve(hasEnded), { what: "the end of the connection" });
  client.destroy();
  await gateway.stop();
  const statuses = parseAnswers(text).map(({ status }) => status);
  return { before, statuses, stored: publisher.records.length };
}

describe("a request that is refused behind another one", () => {
  it("leaves that one its answer, and comes after it", async () => {
    const ends = await Promise.all(
      SECONDS.map(async ([what, second, , overrides]) => ({
        what,
        ...(await answersTo(second, overrides)),
      })),
    );
    expect(ends).toEqual(
      SECONDS.map(([what, , status]) => ({ what, before: "", statuses: [200, status], stored: 1 })),
    );
  });
});
