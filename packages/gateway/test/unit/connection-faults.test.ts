import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { CONFORMANCE_PATH, waitFor } from "@push-reports/test-support";
import { InMemoryReportPublisher } from "../fakes/in-memory-report-publisher.js";
import { parseAnswers, sendRaw } from "../support/raw-request.js";
import { startGateway, type TestGateway } from "../support/start-gateway.js";

const BODY = '{"event":"open","publishId":"p","deviceId":"d","timestampSecs":1}';
const HEAD = `POST ${CONFORMANCE_PATH} HTTP/1.1\r\ncontent-type: application/json\r\n`;
const GOOD = `${HEAD}host: x\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY}`;
const UNREADABLE = { error: "Bad request", description: "Failed to read body as a JSON object." };

describe("what the HTTP parser refuses", () => {
  let publisher: InMemoryReportPublisher;
  let gateway: TestGateway;
  beforeEach(async () => {
    publisher = new InMemoryReportPublisher();
    gateway = await startGateway(publisher, { headersTimeoutMs: 600, requestTimeoutMs: 1_000 });
  });
  afterEach(() => gateway.stop());

  it.each([
    ["a head that is too large", `${HEAD}x: ${"y".repeat(20_000)}\r\n\r\n`],
    ["garbage", "\x16\x03\x01\x02\x00\x01\r\n\r\n"],
    ["an invalid Content-Length", `${HEAD}content-length: many\r\n\r\n${BODY}`],
    ["two lengths", `${HEAD}content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`],
    ["bad chunking", `${HEAD}host: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n`],
    ["chunks that end badly", `${HEAD}transfer-encoding: chunked\r\n\r\n5\r\n{"event\r\n0\r\n\r\n`],
    ["an unknown method", `BREW ${CONFORMANCE_PATH} HTTP/1.1\r\nhost: x\r\n\r\n`],
    ["an unknown version", `POST ${CONFORMANCE_PATH} HTTP/9.9\r\nhost: x\r\n\r\n`],
  ])("%s is answered 400 in the API's form", async (_name, text) => {
    const answers = parseAnswers(await sendRaw(gateway.port, [text]));
    expect(answers).toHaveLength(1);
    expect(answers[0]).toMatchObject({
      status: 400,
      headers: { "access-control-allow-origin": "*", "content-type": "application/json" },
    });
    expect(JSON.parse(answers[0]?.body ?? "")).toEqual(UNREADABLE);
    expect(await gateway.counted()).toEqual({ requests: 1, outcomes: { unreadable_request: 1 } });
  });

  it("is answered after the good requests before it", async () => {
    const answers = parseAnswers(await sendRaw(gateway.port, [GOOD, GOOD, "garbage\r\n\r\n"]));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 400]);
    expect(publisher.records).toHaveLength(2);
  });

  it("takes a request without a host", async () => {
    const text = `${HEAD}content-length: ${BODY.length}\r\n\r\n${BODY}`;
    expect(parseAnswers(await sendRaw(gateway.port, [text], { quietMs: 300 }))[0]?.status).toBe(
      200,
    );
  });

  it("answers a client that has closed its side already", async () => {
    const answers = parseAnswers(await sendRaw(gateway.port, [GOOD], { halfClose: true }));
    expect(answers.map(({ status }) => status)).toEqual([200]);
  });

  it("answers 400 to a body that ends before its length", async () => {
    const text = `${HEAD}host: x\r\ncontent-length: 500\r\n\r\n${BODY}`;
    const answers = parseAnswers(await sendRaw(gateway.port, [text], { halfClose: true }));
    expect(answers.map(({ status }) => status)).toEqual([400]);
  });

  it.each([
    ["half a head", HEAD],
    ["half a body", `${HEAD}host: x\r\ncontent-length: 500\r\n\r\n{`],
  ])("answers 503 to a client that sends %s and stalls", async (_name, text) => {
    const answers = parseAnswers(await sendRaw(gateway.port, [text], { quietMs: 5_000 }));
    expect(answers.map(({ status }) => status)).toEqual([503]);
    expect(Number(answers[0]?.headers["retry-after"])).toBeGreaterThanOrEqual(1);
    expect(await gateway.counted()).toEqual({ requests: 1, outcomes: { request_timeout: 1 } });
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

  it("answers CONNECT", async () => {
    const answers = parseAnswers(await sendRaw(gateway.port, ["CONNECT a:1 HTTP/1.1\r\n\r\n"]));
    expect(answers.map(({ status }) => status)).toEqual([400]);
  });
});
