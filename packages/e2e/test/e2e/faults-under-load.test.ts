import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { describeWithContainers, sendReports } from "@push-reports/test-support";
import { Deployment } from "../support/deployment.js";
import { expectExactlyOnce } from "../support/exactly-once.js";
import { onceSent } from "../support/once-sent.js";
import type { Ended, ServiceProcess } from "../support/service-process.js";

const REPORTS = 6_000;
const CONNECTIONS = 64;

describeWithContainers("The services under load", ["kafka", "clickhouse"], () => {
  let deployment: Deployment;
  let gateway: ServiceProcess;
  let consumer: ServiceProcess;

  beforeAll(async () => {
    deployment = await Deployment.create();
    [gateway, consumer] = await Promise.all([
      deployment.start("gateway"),
      deployment.start("consumer"),
    ]);
  });
  afterAll(() => deployment?.dispose());

  it("turn every answered report into one row when the consumer is killed", async () => {
    const load = await loadWith(async () => {
      await consumer.end("SIGKILL");
      consumer = await deployment.start("consumer");
    });

    expect(await answeredOnce(load)).toBe(REPORTS);
  });

  it("turn every answered report into one row when the gateway is killed", async () => {
    const load = await loadWith(async () => {
      await gateway.end("SIGKILL");
      gateway = await deployment.start("gateway");
    });

    expect(await answeredOnce(load)).toBeGreaterThan(REPORTS / 2);
  });

  it("lose nothing when the gateway is told to stop, which ends with code 0", async () => {
    let ended: Ended | undefined;
    const load = await loadWith(async () => {
      ended = await gateway.end("SIGTERM");
      gateway = await deployment.start("gateway");
    });

    expect(await answeredOnce(load)).toBeGreaterThan(REPORTS / 2);
    expect(ended).toMatchObject({ code: 0, stderr: "" });
  });

  it("lose nothing when the consumer is told to stop, which ends with code 0", async () => {
    let ended: Ended | undefined;
    const load = await loadWith(async () => {
      ended = await consumer.end("SIGTERM");
      consumer = await deployment.start("consumer");
    });

    expect(await answeredOnce(load)).toBe(REPORTS);
    expect(ended).toMatchObject({ code: 0, stderr: "" });
  });

  /** Sends the load and does something to the services when half of it is out. */
  async function loadWith(fault: () => Promise<void>) {
    const half = onceSent(REPORTS / 2, fault);
    const load = await sendReports({
      url: deployment.url,
      count: REPORTS,
      connections: CONNECTIONS,
      onProgress: half.onProgress,
    });
    await half.done;
    return load;
  }

  const answeredOnce = (load: Awaited<ReturnType<typeof sendReports>>) =>
    expectExactlyOnce(load, (sql) => deployment.rows(sql));
});
