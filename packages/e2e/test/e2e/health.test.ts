import { afterEach, describe, expect, it } from "@jest/globals";
import { CONFORMANCE_PATH, freePort, waitFor } from "@push-reports/test-support";
import { ServiceProcess } from "../support/service-process.js";

/** As long as the Android SDK waits. */
const ANSWER_TIMEOUT_MS = 10_000;

describe("A gateway whose Kafka is away", () => {
  let gateway: ServiceProcess | undefined;
  afterEach(() => gateway?.end("SIGKILL"));

  it("is alive and ready, says what is wrong, refuses in time, and stops as told", async () => {
    const [http, operations, nobody] = [await freePort(), await freePort(), await freePort()];
    gateway = new ServiceProcess("gateway", {
      KAFKA_BROKERS: `127.0.0.1:${nobody}`,
      HTTP_PORT: String(http),
      OPERATIONS_PORT: String(operations),
      SHUTDOWN_DELAY_MS: "3000",
    });
    const health = async (path: string) => {
      const answer = await fetch(`http://127.0.0.1:${operations}${path}`);
      return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
    };
    const report = () =>
      fetch(`http://127.0.0.1:${http}${CONFORMANCE_PATH}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: '{"event":"open","publishId":"p","deviceId":"d","timestampSecs":1}',
        signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
      });

    const starting = await waitFor(() => health("/readyz"), { what: "the operations port" });
    expect(starting).toMatchObject({ status: 503, body: { reason: "starting" } });
    await gateway.untilReady();
    expect(await health("/readyz")).toMatchObject({
      status: 200,
      body: { status: "ok", queue: "away", isOverloaded: false, inFlight: 0, connections: 0 },
    });
    expect(await health("/livez")).toMatchObject({ status: 200 });
    expect((await report()).status).toBe(503);

    const ended = gateway.end("SIGTERM");
    await waitFor(async () => (await health("/readyz")).status === 503, { what: "unreadiness" });
    expect(await health("/readyz")).toMatchObject({ body: { reason: "stopping" } });
    expect(await health("/livez")).toMatchObject({ status: 200 });
    const last = await report();
    expect([last.status, last.headers.get("connection")]).toEqual([503, "close"]);
    expect(await ended).toMatchObject({ code: 0, stderr: "" });
  });
});
