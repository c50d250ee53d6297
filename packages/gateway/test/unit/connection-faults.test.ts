import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { CONFORMANCE_PATH, parseAnswers, sendRaw, waitFor } from "@push-reports/test-support";
import { InMemoryReportPublisher } from "../fakes/in-memory-report-publisher.js";
import { startGateway, type TestGateway } from "../support/start-gateway.js";

const BODY = '{"event":"open","publishId":"p","deviceId":"d","timestampSecs":1}';
const HEAD = `POST ${CONFORMANCE_PATH} HTTP/1.1\r\ncontent-type: application/json\r\n`;
const GOOD = `${HEAD}host: x\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY}`;

describe("clients that are slow, leave, or send without end", () => {
  let publisher: InMemoryReportPublisher;
  let gateway: TestGateway;
  beforeEach(async () => {
    publisher = new InMemoryReportPublisher();
    gateway = await startGateway(publisher, {
      headersTimeoutMs: 600,
      requestTimeoutMs: 1_000,
      answerDeadlineMs: 500,
    });
  });
  afterEach(() => gateway.stop());

  it.each([
    ["half a head", HEAD],
    ["half a body", `${HEAD}host: x\r\ncontent-length: 500\r\n\r\n{`],
  ])("answers 503 to a client that sends %s and stalls", async (_name, text) => {
    const answers = parseAnswers(await sendRaw(gateway.port, [text], { quietMs: 5_000 }));
    expect(answers.map(({ status }) => status)).toEqual([503]);
    expect(Number(answers[0]?.headers["retry-after"])).toBeGreaterThanOrEqual(1);
    expect(await gateway.counted()).toEqual({ requests: 1, outcomes: { request_timeout: 1 } });
  });

  describe("that ask for a tunnel", () => {
    const TUNNEL = "CONNECT x:443 HTTP/1.1\r\n\r\n";

    it("answers 400, and serves others though one resets its connection", async () => {
      const leaving = connect(gateway.port, "127.0.0.1");
      leaving.on("error", () => {});
      leaving.write(TUNNEL);
      await once(leaving, "data");
      const closed = once(leaving, "close");
      leaving.resetAndDestroy();
      await closed;
      const answers = parseAnswers(await sendRaw(gateway.port, [TUNNEL]));
      expect(answers.map(({ status }) => status)).toEqual([400]);
      expect(parseAnswers(await sendRaw(gateway.port, [GOOD]))[0]?.status).toBe(200);
      expect((await gateway.counted()).outcomes).toEqual({ unreadable_request: 2, published: 1 });
    });

    it("answers only what comes before it on a connection that the server closes", async () => {
      const closing = await startGateway(publisher, { shutdownDelayMs: 300 });
      const stopped = closing.stop();
      const text = await sendRaw(closing.port, [GOOD + TUNNEL]);
      await stopped;
      expect(parseAnswers(text).map(({ status }) => status)).toEqual([200]);
      expect(await closing.counted()).toEqual({ requests: 1, outcomes: { published: 1 } });
    });
  });

  it("closes a connection that says nothing, and counts no request", async () => {
    expect(await sendRaw(gateway.port, [], { quietMs: 5_000 })).toBe("");
    expect((await gateway.counted()).requests).toBe(0);
  });

  it("refuses a body without end, and lets its client read the answer", async () => {
    const head = `${HEAD}host: x\r\ncontent-length: 50000000\r\n\r\n`;
    const chunks = [head, ...Array.from({ length: 20 }, () => Buffer.alloc(100_000, "x"))];
    const answers = parseAnswers(await sendRaw(gateway.port, chunks));
    expect(answers.map(({ status }) => status)).toEqual([400]);
    expect(await gateway.counted()).toEqual({ requests: 1, outcomes: { unreadable_body: 1 } });
  });

  it("stores the report of a client that leaves once its body has arrived", async () => {
    let open: () => void = () => {};
    publisher.gate = new Promise((resolve) => {
      open = resolve;
    });
    const socket = connect(gateway.port, "127.0.0.1");
    socket.end(GOOD);
    await waitFor(async () => (await gateway.counted()).requests === 1, { what: "the request" });
    socket.destroy();
    open();
    await waitFor(() => publisher.records.length === 1, { what: "the record" });
    expect((await gateway.counted()).outcomes).toEqual({ published: 1 });
  });

  it("counts a client that leaves in the middle of its body as aborted", async () => {
    const socket = connect(gateway.port, "127.0.0.1");
    socket.write(`${HEAD}host: x\r\ncontent-length: 500\r\n\r\n{`);
    await waitFor(async () => (await gateway.counted()).requests === 1, { what: "the request" });
    socket.resetAndDestroy();
    await waitFor(async () => (await gateway.counted()).outcomes["aborted"] === 1, {
      what: "its end",
    });
  });
});
