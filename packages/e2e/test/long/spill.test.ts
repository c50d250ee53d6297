import { mkdtemp, open, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "@jest/globals";
import {
  describeWithContainers,
  freePort,
  type KafkaCluster,
  sendReports,
  startKafka,
  waitFor,
} from "@push-reports/test-support";
import { Deployment, type StartOptions } from "../support/deployment.js";
import { expectExactlyOnce } from "../support/exactly-once.js";
import { onceSent } from "../support/once-sent.js";
import type { ServiceProcess } from "../support/service-process.js";

/** How long Kafka is away, and what each gateway is sent meanwhile; a longer and heavier outage takes minutes. */
const OUTAGE_MS = Number(process.env["OUTAGE_MS"] ?? 4_000);
const OUTAGE_PER_SECOND = Number(process.env["OUTAGE_PER_SECOND"] ?? 400);

/** A gateway of a test and where it listens. */
interface Gateway {
  readonly url: string;
  readonly process: ServiceProcess;
  readonly options: StartOptions;
}

describeWithContainers("The services while Kafka is away", ["docker", "clickhouse"], () => {
  let kafka: KafkaCluster;
  let deployment: Deployment;
  let consumer: ServiceProcess;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "spill-"));
    kafka = await startKafka();
    deployment = await Deployment.create(kafka);
    consumer = await deployment.start("consumer");
  });
  afterAll(async () => {
    await deployment?.dispose();
    await kafka?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const spillIn = (name: string) => ({ SPILL_DIR: join(folder, name) });

  async function startGateway(
    environment: Readonly<Record<string, string>>,
    wrapper: readonly string[] = [],
  ): Promise<Gateway> {
    const port = await freePort();
    const options = { environment: { HTTP_PORT: String(port), ...environment }, wrapper };
    const process = await deployment.start("gateway", options);
    return { url: `http://127.0.0.1:${port}`, process, options };
  }

  const send = (gateway: Gateway, count: number, perSecond: number) =>
    sendReports({ url: gateway.url, count, connections: 64, perSecond });
  const answeredOnce = (load: Awaited<ReturnType<typeof sendReports>>) =>
    expectExactlyOnce(load, (sql) => deployment.rows(sql));
  const statusesOf = (load: Awaited<ReturnType<typeof sendReports>>) =>
    [...new Set(load.reports.map(({ status }) => status))].toSorted(
      (a, b) => Number(a) - Number(b),
    );
  const spilledBy = async ({ process }: Gateway) => {
    const { spill } = await process.readiness();
    return (spill as { readonly records: number } | undefined)?.records ?? 0;
  };
  const untilDrained = (gateway: Gateway) =>
    waitFor(async () => (await spilledBy(gateway)) === 0, {
      what: "an empty spill",
      timeoutMs: 60_000 + OUTAGE_MS * 3,
    });

  it(
    "answer every report 200 with a spill, and 503 for a while without one, and make one row of each that was answered 200",
    async () => {
      const withSpill = await startGateway(spillIn("steady"));
      const without = await startGateway({});
      const over = new AbortController();
      const outage = onceSent(OUTAGE_PER_SECOND, async () => {
        await kafka.kill(0);
        await delay(OUTAGE_MS);
        await kafka.restart(0);
      });
      const options = {
        count: 1_000_000,
        connections: 128,
        perSecond: OUTAGE_PER_SECOND,
        signal: over.signal,
      };
      const { onProgress } = outage;
      const loads = [
        sendReports({ url: withSpill.url, ...options, onProgress }),
        sendReports({ url: without.url, ...options }),
      ] as const;
      await outage.done;
      for (const gateway of [withSpill, without]) {
        await untilDrained(gateway);
        await waitFor(async () => (await send(gateway, 1, 1)).reports[0]?.status === 200, {
          what: "a gateway that takes reports again",
          timeoutMs: 30_000,
        });
      }
      over.abort();
      const [spilled, refused] = await Promise.all(loads);

      expect(statusesOf(spilled)).toEqual([200]);
      expect(await answeredOnce(spilled)).toBe(spilled.reports.length);
      expect(statusesOf(refused)).toEqual([200, 503]);
      await answeredOnce(refused);
      console.info(
        `Kafka away for ${OUTAGE_MS} ms: ${spilled.reports.length} reports with a spill, ${refused.reports.length} without one`,
      );
      for (const gateway of [withSpill, without])
        expect(await gateway.process.end("SIGTERM")).toMatchObject({ code: 0, stderr: "" });
    },
    120_000 + OUTAGE_MS * 6,
  );

  it("stay within a spill's bounds, a disk's and damage, and lose nothing that was answered 200", async () => {
    const [bounded, onSmallDisk, damaged, without] = await Promise.all([
      startGateway({ ...spillIn("bounded"), SPILL_MAX_BYTES: "1048576" }),
      startGateway(spillIn("small-disk"), [
        "bash",
        "-c",
        'ulimit -S -f 9000; exec "$@"',
        "limited",
      ]),
      startGateway(spillIn("damaged")),
      startGateway({}),
    ]);
    await kafka.kill(0);
    const refused = deployment.runToEnd("gateway", bounded.options);
    const [atBound, atFullDisk, atDamage, atNothing] = [
      await send(bounded, 3_000, 1_500),
      await send(onSmallDisk, 12_000, 4_000),
      await send(damaged, 200, 1_000),
      await send(without, 100, 1_000),
    ];
    expect(statusesOf(atBound)).toEqual([200, 503]);
    expect(statusesOf(atFullDisk)).toEqual([200, 503]);
    expect(statusesOf(atDamage)).toEqual([200]);
    expect(statusesOf(atNothing)).toEqual([503]);
    const { code, stdout } = await refused;
    expect(code).toBe(1);
    expect(stdout).toContain("Give each gateway a SPILL_DIR of its own");

    expect(await damaged.process.end("SIGTERM")).toMatchObject({ code: 0, stderr: "" });
    await overwrite(join(folder, "damaged", "log", "data.mdb"));
    const mended = await deployment.start("gateway", damaged.options);
    const afterDamage = await send(damaged, 200, 1_000);
    expect(statusesOf(afterDamage)).toEqual([200]);
    const kept = (await readdir(join(folder, "damaged"))).filter((name) => name !== "log");
    expect(kept).toEqual([expect.stringMatching(/^damaged-/)]);

    await kafka.restart(0);
    await Promise.all([bounded, onSmallDisk, { ...damaged, process: mended }].map(untilDrained));
    const again = await send(onSmallDisk, 200, 1_000);
    expect(statusesOf(again)).toEqual([200]);
    for (const load of [atBound, atFullDisk, atNothing, afterDamage, again])
      await answeredOnce(load);
    for (const gateway of [bounded, onSmallDisk, { ...damaged, process: mended }, without])
      expect(await gateway.process.end("SIGTERM")).toMatchObject({ code: 0, stderr: "" });
  });

  it("make one row of each when the gateway is killed while it drains, again and again", async () => {
    // Small batches, so that draining takes long enough to be killed in.
    const gateway = await startGateway({ ...spillIn("killed"), MAX_BATCH_BYTES: "16384" });
    const before = await send(gateway, 200, 1_000);
    await kafka.pause(0);
    const load = await send(gateway, 4_000, 2_000);
    expect(statusesOf(load)).toEqual([200]);
    await kafka.unpause(0);
    let { process } = gateway;
    for (let kill = 0; kill < 4; kill += 1) {
      const left = await spilledBy({ ...gateway, process });
      const goal = left - Math.ceil(Math.random() * 400);
      await waitFor(async () => (await spilledBy({ ...gateway, process })) <= Math.max(0, goal), {
        what: "some of it drained",
        timeoutMs: 30_000,
        intervalMs: 5,
      });
      await process.end("SIGKILL");
      process = await deployment.start("gateway", gateway.options);
    }
    await untilDrained({ ...gateway, process });
    // What Kafka's absence did to the consumer is the fault suite's matter: here a new one reads what was drained.
    await consumer.end("SIGTERM");
    consumer = await deployment.start("consumer");

    expect(await answeredOnce(load)).toBe(4_000);
    expect(await answeredOnce(before)).toBe(200);
    expect(await process.end("SIGTERM")).toMatchObject({ code: 0, stderr: "" });
  });
});

/** Spoils what a file holds, from its third page on. */
async function overwrite(path: string): Promise<void> {
  const file = await open(path, "r+");
  const { size } = await file.stat();
  for (let at = 8_192; at < size; at += 65_536)
    await file.write(Buffer.alloc(Math.min(65_536, size - at), 0x5a), 0, undefined, at);
  await file.close();
}
