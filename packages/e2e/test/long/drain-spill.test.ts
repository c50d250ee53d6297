import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "@jest/globals";
import {
  describeWithContainers,
  freePort,
  type KafkaCluster,
  sendReports,
  startKafka,
  waitFor,
} from "@push-reports/test-support";
import { Kafka, logLevel } from "kafkajs";
import { Deployment } from "../support/deployment.js";
import { expectExactlyOnce } from "../support/exactly-once.js";

/** Small batches, so that a drain takes long enough to be killed in. */
const SMALL_BATCHES = { MAX_BATCH_BYTES: "16384" };
const REPORTS = 4_000;
const KILLS = 2;

describeWithContainers("The command drain", ["docker", "clickhouse"], () => {
  let kafka: KafkaCluster;
  let deployment: Deployment;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "drain-"));
    kafka = await startKafka();
    deployment = await Deployment.create(kafka);
  });
  afterAll(async () => {
    await deployment?.dispose();
    await kafka?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const spillIn = (name: string) => ({ SPILL_DIR: join(folder, name) });
  const drain = (name: string, more: Readonly<Record<string, string>> = {}) => ({
    environment: { ...spillIn(name), ...more },
  });

  /** A gateway, reports on its disk that it could not send, and its end. */
  async function leaveBehind(
    name: string,
    count: number,
    whileItRuns: () => Promise<void> = async () => undefined,
    more: Readonly<Record<string, string>> = {},
  ) {
    const port = await freePort();
    const environment = { HTTP_PORT: String(port), ...spillIn(name), ...more };
    const gateway = await deployment.start("gateway", { environment });
    await whileItRuns();
    const load = await sendReports({
      url: `http://127.0.0.1:${port}`,
      count,
      connections: 64,
      perSecond: 2_000,
    });
    expect(load.reports.filter(({ status }) => status !== 200)).toEqual([]);
    await gateway.end("SIGKILL");
    return load;
  }
  const nowhere = async () => ({ KAFKA_BROKERS: `127.0.0.1:${await freePort()}` });

  it("makes one row of each report that a dead gateway left, killed in the middle again and again", async () => {
    // Kafka hangs, so that what the gateway had sent may be there or not.
    const load = await leaveBehind("orphaned", REPORTS, () => kafka.pause(0), SMALL_BATCHES);
    await kafka.unpause(0);
    const topic = String(deployment.settings["KAFKA_TOPIC"]);
    const options = { logLevel: logLevel.NOTHING, brokers: [...kafka.brokers] };
    const admin = new Kafka(options).admin();
    await admin.connect();
    const onTopic = async () => {
      const partitions = await admin.fetchTopicOffsets(topic);
      return partitions.reduce((sum, { offset }) => sum + Number(offset), 0);
    };
    for (let kill = 0; kill < KILLS; kill += 1) {
      const goal = (await onTopic()) + 1 + Math.floor(Math.random() * 600);
      const running = await deployment.begin("drain", drain("orphaned", SMALL_BATCHES));
      await waitFor(async () => (await onTopic()) >= goal, {
        what: "some of it drained",
        timeoutMs: 30_000,
        intervalMs: 5,
      });
      expect(await running.end("SIGKILL")).toMatchObject({ code: null, signal: "SIGKILL" });
    }
    const last = await deployment.runToEnd("drain", drain("orphaned"));
    const afterwards = await deployment.runToEnd("drain", drain("orphaned"));
    await admin.disconnect();

    expect(last).toMatchObject({ code: 0, stderr: "" });
    expect(last.stdout).toMatch(/^[1-9]\d* records drained, .* is empty\.$/m);
    expect(afterwards).toMatchObject({ code: 0, stderr: "" });
    expect(afterwards.stdout).toMatch(/^0 records drained, .* is empty\.$/m);
    await deployment.start("consumer");
    expect(await expectExactlyOnce(load, (sql) => deployment.rows(sql))).toBe(REPORTS);
  });

  it("ends with 1 and keeps everything while Kafka is away, and goes on later", async () => {
    const load = await leaveBehind("waiting", 300, async () => undefined, await nowhere());
    const options = drain("waiting", await nowhere());

    const inVain = await deployment.runToEnd("drain", { ...options, args: patience(2) });
    const later = await deployment.runToEnd("drain", drain("waiting"));

    expect(inVain.code).toBe(1);
    expect(inVain.stderr).toMatch(/^0 records drained\. 300 are left in .*Kafka takes none/m);
    expect(later).toMatchObject({ code: 0, stderr: "" });
    expect(await expectExactlyOnce(load, (sql) => deployment.rows(sql))).toBe(300);
  });

  it("ends with 1 on a stop signal, and leaves the rest to the next", async () => {
    await leaveBehind("stopped", 100, async () => undefined, await nowhere());
    const running = await deployment.begin("drain", drain("stopped", await nowhere()));
    await waitFor(() => running.stdout.includes("drain_began"), { what: "its begin" });

    const { code, stderr } = await running.end("SIGTERM");

    expect(code).toBe(1);
    expect(stderr).toContain("It was stopped, and 100 are left");
    expect(await deployment.runToEnd("drain", drain("stopped"))).toMatchObject({ code: 0 });
  });

  it("refuses a folder that a gateway uses, and one that never was a spill", async () => {
    const gateway = await deployment.start("gateway", {
      environment: { HTTP_PORT: String(await freePort()), ...spillIn("used") },
    });

    const [used, none] = await Promise.all([
      deployment.runToEnd("drain", drain("used")),
      deployment.runToEnd("drain", drain("none")),
    ]);

    expect(used.code).toBe(2);
    expect(used.stderr).toContain("Another process uses the spill");
    expect(none.code).toBe(2);
    expect(none.stderr).toContain("There is no spill in");
    await gateway.end("SIGTERM");
  });

  it("ends with 1 when what it found was damaged, and keeps it", async () => {
    await leaveBehind("damaged", 200, async () => undefined, await nowhere());
    const file = await open(join(folder, "damaged", "log", "data.mdb"), "r+");
    const { size } = await file.stat();
    for (let at = 8_192; at < size; at += 65_536)
      await file.write(Buffer.alloc(Math.min(65_536, size - at), 0x5a), 0, undefined, at);
    await file.close();

    const { code, stderr } = await deployment.runToEnd("drain", drain("damaged"));

    expect(code).toBe(1);
    expect(stderr).toMatch(/1 damaged logs lie in .*keep them/);
  });
});

const patience = (seconds: number) => ["--patience-seconds", String(seconds)];
