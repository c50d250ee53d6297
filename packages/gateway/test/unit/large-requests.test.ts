import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, describe, expect, it } from "@jest/globals";
import { CONFORMANCE_PATH, waitFor } from "@push-reports/test-support";
import type { HttpConfig } from "../../src/config.js";
import { InMemoryReportPublisher } from "../fakes/in-memory-report-publisher.js";
import { startGateway, type TestGateway } from "../support/start-gateway.js";

const BODY = '{"event":"open","publishId":"p","deviceId":"d","timestampSecs":1}';
const MAX_BYTES = 1_048_576;
const HEADERS = 140;
const MANY = Array.from({ length: HEADERS }, (_, index) => `h${index}: ${"v".repeat(90)}`);
/** What one with these headers and a small body counts for at the least. */
const LARGE_BYTES = HEADERS * 2 * 64 + HEADERS * 90;
const ROOM = Math.floor(MAX_BYTES / LARGE_BYTES);

const request = (headers: readonly string[], bodyBytes = BODY.length) =>
  [
    `POST ${CONFORMANCE_PATH} HTTP/1.1`,
    "content-type: application/json",
    `content-length: ${bodyBytes}`,
    ...headers,
    "",
    "",
  ].join("\r\n");

interface Sent {
  readonly socket: Socket;
  status: number | null;
}

describe("large requests", () => {
  let gateway: TestGateway;
  let publisher: InMemoryReportPublisher;
  let open: () => void = () => {};
  const sockets: Socket[] = [];
  afterEach(async () => {
    open();
    for (const socket of sockets.splice(0)) socket.destroy();
    await gateway.stop();
  });

  const start = async (overrides: Partial<HttpConfig> = {}) => {
    publisher = new InMemoryReportPublisher();
    gateway = await startGateway(publisher, { maxLargeRequestsBytes: MAX_BYTES, ...overrides });
  };
  /** Sends on a connection of its own; `status` is that of its answer, or null while there is none. */
  const sendOn = async (text: string): Promise<Sent> => {
    const socket = connect(gateway.port, "127.0.0.1");
    sockets.push(socket);
    const sent: Sent = { socket, status: null };
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => {
      sent.status ??= Number(chunk.toString("latin1", 9, 12));
    });
    await once(socket, "connect");
    socket.write(text);
    return sent;
  };
  const until = async (isSo: () => boolean | Promise<boolean>) => {
    await waitFor(isSo, { what: "the answers", intervalMs: 5, timeoutMs: 20_000 });
  };
  const received = async (count: number) =>
    await until(async () => (await gateway.counted()).requests === count);

  it("that do not arrive give way to those that come after, the first of them first", async () => {
    await start();
    const slow: Sent[] = [];
    for (let index = 0; index < 2 * ROOM; index += 1) {
      slow.push(await sendOn(request(MANY) + BODY.slice(0, 5)));
      await received(index + 1);
    }
    await until(async () => {
      const { outcomes } = await gateway.counted();
      const refused = slow.filter(({ status }) => status === 503).length;
      return refused >= ROOM && refused === outcomes["busy"];
    });
    const statuses = slow.map(({ status }) => status);
    const left = statuses.indexOf(null);
    expect(statuses.slice(0, left)).toEqual(Array.from({ length: left }, () => 503));
    expect(statuses.slice(left)).toEqual(
      Array.from({ length: statuses.length - left }, () => null),
    );

    // What has its place still may arrive, and those that are small have always had theirs.
    slow.at(-1)?.socket.write(BODY.slice(5));
    const usual = await sendOn(request([]) + BODY);
    await until(() => usual.status !== null && slow.at(-1)?.status !== null);
    expect([usual.status, slow.at(-1)?.status]).toEqual([200, 200]);
    const { requests, outcomes } = await gateway.counted();
    expect(requests).toBe(2 * ROOM + 1);
    expect(outcomes).toEqual({ busy: left, published: 2 });
  });

  it("that wait for their answer give way to nobody: one more is refused, unless it is small", async () => {
    await start();
    publisher.gate = new Promise((resolve) => {
      open = resolve;
    });
    const sent: Sent[] = [];
    for (let index = 0; index < ROOM + 20; index += 1) {
      sent.push(await sendOn(request(MANY) + BODY));
      await received(index + 1);
    }
    const refused = () => sent.filter(({ status }) => status === 503);
    await until(() => refused().length >= 20);
    const usual = await sendOn(request([]) + BODY);
    await received(sent.length + 1);
    open();
    await until(() => [...sent, usual].every(({ status }) => status !== null));

    expect(usual.status).toBe(200);
    const taken = sent.length - refused().length;
    expect(taken).toBeGreaterThan(ROOM / 2);
    expect(sent.slice(0, taken).every(({ status }) => status === 200)).toBe(true);
    expect((await gateway.counted()).outcomes).toEqual({
      published: taken + 1,
      busy: sent.length - taken,
    });

    const after = await sendOn(request(MANY) + BODY);
    await until(() => after.status !== null);
    expect(after.status).toBe(200);
  });

  it("for which those that wait leave no room do not make those that arrive give way in vain", async () => {
    const size = 300_000;
    await start({ maxBodyBytes: size });
    publisher.gate = new Promise((resolve) => {
      open = resolve;
    });
    const waiting: Sent[] = [];
    for (let index = 0; index < 3; index += 1) {
      waiting.push(await sendOn(request([], size) + BODY.padEnd(size)));
      await until(() => publisher.asked === index + 1);
    }
    const arriving = await sendOn(request(MANY) + BODY.slice(0, 5));
    await received(4);
    const late = await sendOn(request([], size) + BODY.slice(0, 5));
    await until(() => late.status === 503);

    arriving.socket.write(BODY.slice(5));
    open();
    await until(() => [arriving, ...waiting].every(({ status }) => status === 200));
    expect((await gateway.counted()).outcomes).toEqual({ busy: 1, published: 4 });
  });

  it("leave nothing behind when they are answered before they have arrived, whatever they ask", async () => {
    await start();
    const unfinished = (method: string, path: string) =>
      request([...MANY], 1).replace(/^POST \S+/, `${method} ${path}`);
    const QUERY = `?${"q".repeat(2_000)}`;
    const before = heapBytes();
    const sent: Sent[] = [];
    for (let index = 0; index < 100; index += 1)
      for (const text of [
        unfinished("OPTIONS", CONFORMANCE_PATH),
        unfinished("POST", "/nowhere"),
        unfinished("GET", `/openapi.json${QUERY}`),
      ])
        sent.push(await sendOn(text));
    await until(() => sent.every(({ status }) => status !== null));
    expect((heapBytes() - before) / sent.length).toBeLessThan(HEADERS * 90);
  });

  it("leave nothing behind on a connection that stays open", async () => {
    await start();
    const CONNECTIONS = 400;
    const sent: Sent[] = [];
    const sendOnEach = async () => {
      for (let index = 0; index < CONNECTIONS; index += 1)
        sent.push(await sendOn(request(MANY) + BODY));
      await until(() => sent.every(({ status }) => status === 200));
    };
    // Whatever is made once is made with the first of them.
    await sendOnEach();
    const before = heapBytes();
    await sendOnEach();
    const grown = (heapBytes() - before) / CONNECTIONS;
    // Both ends of a connection are in this process.
    expect(grown).toBeLessThan(HEADERS * 90);
  });
});

/** What lives. */
function heapBytes(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}
