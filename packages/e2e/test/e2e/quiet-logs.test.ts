import { randomUUID } from "node:crypto";
import { describe, expect, it } from "@jest/globals";
import { describeWithContainers, sendRaw, waitFor } from "@push-reports/test-support";
import { Deployment } from "../support/deployment.js";
import { StandaloneDeployment } from "../support/standalone-deployment.js";

/** What runs with the most talkative logs. */
interface Talkative {
  readonly url: string;
  readonly reports: string;
  rows<T>(sql: string): Promise<readonly T[]>;
  stop(): Promise<string>;
  dispose(): Promise<void>;
}

const MARK = `mark${randomUUID().replaceAll("-", "")}`;
/** Where the clients connect from, and where a proxy would say that they do: nothing else has these addresses. */
const PEER_ADDRESS = "127.0.0.77";
const FORWARDED_ADDRESS = "203.0.113.77";
/** With these the gateway works with both addresses. */
const EVERYTHING = { LOG_LEVEL: "debug", TRUST_PROXY: "1", MAX_IN_FLIGHT_PER_CLIENT: "100" };

describe("Standalone's log", () =>
  saysNothingOfReports(() => StandaloneDeployment.start(EVERYTHING)));

describeWithContainers("The services' logs", ["kafka", "clickhouse"], () =>
  saysNothingOfReports(async () => {
    const deployment = await Deployment.create(undefined, EVERYTHING);
    await Promise.all([deployment.start("gateway"), deployment.start("consumer")]);
    return deployment;
  }),
);

function saysNothingOfReports(start: () => Promise<Talkative>): void {
  it("has lines, but no part of a report, header, path or address in them", async () => {
    const talkative = await start();
    try {
      await sendMarkedRequests(talkative.url);
      await waitFor(
        async () => {
          const sql = `SELECT 1 FROM ${talkative.reports} WHERE user_id = '${MARK}'`;
          return (await talkative.rows(sql)).length > 0;
        },
        { what: "the accepted report's row", timeoutMs: 60_000 },
      );
      const log = await talkative.stop();
      expect(log).toMatch(/"event":"\w+"/);
      expect(log.toLowerCase()).not.toContain(MARK);
      for (const address of [PEER_ADDRESS, FORWARDED_ADDRESS]) expect(log).not.toContain(address);
    } finally {
      await talkative.dispose();
    }
  });
}

/** Good, bad, unreadable and aborted requests with the mark wherever a client can put something. */
async function sendMarkedRequests(url: string): Promise<void> {
  const path = `/reporting_api/v2/instances/${randomUUID()}/events`;
  const from = { localAddress: PEER_ADDRESS };
  const report = { event: "open", publishId: MARK, deviceId: MARK, timestampSecs: 1, userId: MARK };
  const port = Number(new URL(url).port);
  const send = async (body: string, to = path, headers: Readonly<Record<string, string>> = {}) => {
    const all = {
      connection: "close",
      "content-type": "application/json",
      "content-length": String(Buffer.byteLength(body)),
      "x-forwarded-for": FORWARDED_ADDRESS,
      "x-pusher-library": MARK,
      authorization: `Bearer ${MARK}`,
      cookie: `session=${MARK}`,
      "user-agent": MARK,
      ...headers,
    };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    const text = await sendRaw(port, [`POST ${to} HTTP/1.1\r\n${lines.join("")}\r\n${body}`], from);
    return Number(text.slice("HTTP/1.1 ".length).slice(0, 3));
  };
  const answers = [
    await send(JSON.stringify(report), `${path}?user=${MARK}`),
    await send(JSON.stringify({ ...report, event: MARK })),
    await send(JSON.stringify({ ...report, userId: [MARK] })),
    await send(`{"${MARK}`),
    await send(JSON.stringify(report), `/reporting_api/v2/instances/${MARK}/events`),
    await send(JSON.stringify(report), path, { "content-type": `text/${MARK}` }),
    await send(JSON.stringify(report), path, { "content-encoding": MARK }),
    await send(JSON.stringify(report), `/${MARK}`),
    // What Node.js warns of when it parses it.
    await send(JSON.stringify(report), `http://${MARK}:x${path}?user=${MARK}`),
  ];
  expect(answers).toEqual([200, 400, 400, 400, 400, 400, 400, 404, 200]);
  const head = `POST ${path}?${MARK} HTTP/1.1\r\nx: ${MARK}\r\n`;
  await sendRaw(port, [`${head}${MARK}\r\n\r\n`], from);
  await sendRaw(port, [`${head}content-length: 900\r\n\r\n${MARK}`], { ...from, halfClose: true });
  await sendRaw(port, [`${MARK}\r\n\r\n`], from);
}
