import { connect, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "@jest/globals";
import { CONFORMANCE_CASES, sendConformanceCase, waitFor } from "@push-reports/test-support";
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
    await openIdle(port, 2);
    expect(await send(gateway).catch(() => ({ status: 503 }))).toMatchObject({ status: 503 });
    for (const socket of opened.splice(0)) socket.destroy();
    const here = gateway;
    await waitFor(async () => (await send(here)).status === 200, { what: "an answer of 200" });
    const { requests, outcomes } = await gateway.counted();
    expect(Object.values(outcomes).reduce((sum, count) => sum + count, 0)).toBe(requests);
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
