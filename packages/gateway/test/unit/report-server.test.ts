import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "@jest/globals";
import {
  CONFORMANCE_CASES,
  CONFORMANCE_PATH,
  sendConformanceCase,
  sendRaw,
  waitFor,
} from "@push-reports/test-support";
import { InMemoryReportPublisher } from "../fakes/in-memory-report-publisher.js";
import { startGateway, type TestGateway } from "../support/start-gateway.js";

const [good] = CONFORMANCE_CASES;
const opened: Socket[] = [];
let gateway: TestGateway | null = null;

async function openIdle(port: number, count: number): Promise<void> {
  await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<void>((resolve) => {
          const socket = connect(port, "127.0.0.1", () => resolve());
          socket.on("error", () => {});
          opened.push(socket);
        }),
    ),
  );
}

const send = (to: TestGateway) => {
  if (good === undefined) throw new Error("There are no cases");
  return sendConformanceCase(to.baseUrl, good);
};
/** Refused before Express only where a path is spelt as SDKs do. */
const sendSpeltOtherwise = (to: TestGateway) =>
  fetch(`${to.baseUrl}${CONFORMANCE_PATH}?a=1`, {
    method: "POST",
    headers: { "content-type": "application/json", connection: "close" },
    body: '{"event":"open","publishId":"p","deviceId":"d","timestampSecs":1}',
  });

describe("the report server", () => {
  afterEach(async () => {
    for (const socket of opened.splice(0)) socket.destroy();
    await gateway?.stop();
  });

  it("answers 503 on a connection too many, read or unread, and recovers", async () => {
    gateway = await startGateway(new InMemoryReportPublisher(), { maxConnections: 20 });
    const { port } = gateway;
    await openIdle(port, 20);
    expect(await send(gateway)).toMatchObject({ status: 503 });
    expect(await sendSpeltOtherwise(gateway)).toMatchObject({ status: 503 });
    await openIdle(port, 2);
    expect(await send(gateway)).toMatchObject({ status: 503 });
    for (const socket of opened.splice(0)) socket.destroy();
    const here = gateway;
    let refused = 3;
    const isTaken = async () => {
      const { status } = await send(here);
      if (status === 503) refused += 1;
      return status === 200;
    };
    await waitFor(isTaken, { what: "an answer of 200" });
    expect(await gateway.counted()).toEqual({
      requests: refused + 1,
      outcomes: { busy: refused, published: 1 },
    });
  });

  it("serves those that came before one too many, and leaves their connections open", async () => {
    gateway = await startGateway(new InMemoryReportPublisher(), { maxConnections: 10 });
    const { port } = gateway;
    await openIdle(port, 9);
    const kept = connect(port, "127.0.0.1");
    opened.push(kept);
    await once(kept, "connect");
    const body = '{"event":"open","publishId":"p","deviceId":"d","timestampSecs":1}';
    const report = `POST ${CONFORMANCE_PATH} HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
    const answerTo = async (text: string) => {
      kept.write(text);
      const [chunk] = (await once(kept, "data")) as [Buffer];
      return chunk.toString("latin1");
    };
    expect(await answerTo(report)).toMatch(/^HTTP\/1\.1 200 /);
    await openIdle(port, 1);
    expect(await send(gateway)).toMatchObject({ status: 503 });

    const answer = await answerTo(report);
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    expect(answer).not.toMatch(/connection: close/i);
  });

  it("counts each request past all bounds once, answers it once and stores none of them", async () => {
    const publisher = new InMemoryReportPublisher();
    gateway = await startGateway(publisher, { maxConnections: 10 });
    const { port } = gateway;
    await openIdle(port, 11);
    const body = '{"event":"open","publishId":"p","deviceId":"d","timestampSecs":1}';
    const report = `POST ${CONFORMANCE_PATH} HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
    // In one packet and in several; the last connection sends nothing, which is no request.
    const sent = [
      [report],
      [report.slice(0, 40), report.slice(40)],
      [...(report.match(/.{1,50}/gs) ?? [])],
    ];
    const answers = await Promise.all([
      ...sent.map((parts) => sendRaw(port, parts)),
      sendRaw(port, []),
    ]);

    for (const answer of answers.slice(0, sent.length))
      expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 503"]);
    expect(await gateway.counted()).toEqual({
      requests: sent.length,
      outcomes: { busy: sent.length },
    });
    expect(publisher.records).toHaveLength(0);
  });

  it("serves others while many connections are idle", async () => {
    gateway = await startGateway(new InMemoryReportPublisher());
    await openIdle(gateway.port, 500);
    expect(await send(gateway)).toMatchObject({ status: 200 });
  });

  it("is unready at once on a stop, serves on for the delay, and answers what is under way", async () => {
    const publisher = new InMemoryReportPublisher();
    gateway = await startGateway(publisher, { shutdownDelayMs: 300 });
    const here = gateway;
    expect(here.health.ready().ok).toBe(true);
    const stopped = here.stop();
    expect(here.health.ready()).toMatchObject({ ok: false, reason: "stopping" });
    const answer = await send(here);
    expect(answer).toMatchObject({ status: 200, headers: { connection: "close" } });
    await stopped;
    await expect(send(here)).rejects.toThrow();
    gateway = null;
  });
});
