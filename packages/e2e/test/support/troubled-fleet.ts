import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { encodeReport } from "@push-reports/report";
import {
  aReceivedReport,
  freePort,
  type LoadResult,
  sendReports,
  waitFor,
} from "@push-reports/test-support";
import { Kafka, logLevel, Partitioners } from "kafkajs";
import { Deployment } from "./deployment.js";
import type { Target } from "./live-prometheus.js";
import type { Program, ServiceProcess } from "./service-process.js";

const SECRET = "a secret of the canary";
/** Records of which the first half is removed before anybody reads them. */
const LOST = 20;
const TROUBLE_MS = 1_000;
/** Longer than two looks of Prometheus, ms. */
const RESTART_EVERY_MS = 12_000;

/** A gateway that begins anew all the time, on the same port. */
interface Restarting {
  readonly deployment: Deployment;
  readonly port: number;
  process: ServiceProcess;
  at: number;
}

/** Services each with a trouble of its own, told apart by their namespace, and one group of them without any. */
export class TroubledFleet {
  readonly targets: Target[] = [];
  readonly #folder: string;
  readonly #deployments: Deployment[] = [];
  /** Gateways that get a report now and then. */
  readonly #troubled: string[] = [];
  #restarting: Restarting | null = null;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** @param folder of spills; it holds `damaged/damaged-1`. */
  static async start(folder: string): Promise<TroubledFleet> {
    const fleet = new TroubledFleet(folder);
    await fleet.#startWell();
    await fleet.#startKafkaAway();
    await fleet.#startSpills();
    await fleet.#startStalled();
    await fleet.#startBad("bad", 1, {});
    await fleet.#startBad("held", 60, { BAD_WINDOW_RECORDS: "100" });
    await fleet.#startRestarting();
    fleet.targets.push({ job: "gateway", namespace: "gone", port: await freePort() });
    return fleet;
  }

  /** What has to go on for a trouble to be one, for a second or two: call it again and again. */
  async keepTroubling(): Promise<void> {
    await Promise.all([
      setTimeout(TROUBLE_MS),
      ...this.#troubled.map((url) => sendReports({ url, count: 10, connections: 2, perSecond: 5 })),
    ]);
    const restarting = this.#restarting;
    if (restarting === null || Date.now() - restarting.at < RESTART_EVERY_MS) return;
    await restarting.process.end("SIGKILL");
    const more = { OPERATIONS_PORT: String(restarting.port) };
    restarting.process = await restarting.deployment.begin("gateway", { environment: more });
    restarting.at = Date.now();
  }

  /** Every gateway and consumer, well or not. */
  async killAll(): Promise<void> {
    this.#troubled.length = 0;
    this.#restarting = null;
    await Promise.all(this.#deployments.map((deployment) => deployment.dispose()));
  }

  async dispose(): Promise<void> {
    await this.killAll();
  }

  /** Gateway, consumer and canary with nothing wrong. */
  async #startWell(): Promise<void> {
    const deployment = await this.#deployment({ CANARY_SECRET: SECRET });
    await this.#begin(deployment, "gateway", "well");
    await this.#begin(deployment, "consumer", "well");
    const more = { CANARY_URL: deployment.url, CANARY_INTERVAL_SECONDS: "15" };
    await this.#begin(deployment, "canary", "well", undefined, more);
  }

  /** Gateways whose Kafka is away, one of them with a spill, and a canary at each. */
  async #startKafkaAway(): Promise<void> {
    const away = { KAFKA_BROKERS: `127.0.0.1:${await freePort()}` };
    const deployment = await this.#deployment({ CANARY_SECRET: SECRET });
    for (const spill of [{}, { SPILL_DIR: join(this.#folder, "away") }]) {
      const port = await freePort();
      const own = { ...away, ...spill, HTTP_PORT: String(port) };
      await this.#begin(deployment, "gateway", "away", undefined, own);
      const url = `http://127.0.0.1:${port}`;
      this.#troubled.push(url);
      const canary = { CANARY_URL: url, CANARY_INTERVAL_SECONDS: "10" };
      await this.#begin(deployment, "canary", "away", undefined, canary);
    }
    const port = await freePort();
    const full = { SPILL_DIR: join(this.#folder, "full"), SPILL_MAX_BYTES: "1048576" };
    const own = { ...away, ...full, HTTP_PORT: String(port) };
    const gateway = await this.#begin(deployment, "gateway", "full", undefined, own);
    await gateway.untilReady();
    await fill(`http://127.0.0.1:${port}`);
  }

  /** A spill whose folder cannot be made, and one that holds a damaged log. */
  async #startSpills(): Promise<void> {
    const deployment = await this.#deployment();
    for (const folder of ["/dev/null/spill", join(this.#folder, "damaged")]) {
      const own = { SPILL_DIR: folder, HTTP_PORT: String(await freePort()) };
      await this.#begin(deployment, "gateway", "spills", undefined, own);
    }
  }

  /** A consumer whose table is gone. */
  async #startStalled(): Promise<void> {
    const deployment = await this.#deployment();
    const consumer = await this.#begin(deployment, "consumer", "stalled");
    await consumer.untilReady();
    await deployment.command("RENAME TABLE reports TO reports_away");
    await produce(deployment, 0, 10);
  }

  /** A consumer with bad records on its topic, whose first records were removed. */
  async #startBad(namespace: string, bad: number, more: Readonly<Record<string, string>>) {
    const deployment = await this.#deployment(more);
    await produce(deployment, 0, LOST);
    await removeFirst(deployment, LOST / 2);
    await produce(deployment, bad, 40);
    await this.#begin(deployment, "consumer", namespace);
  }

  async #startRestarting(): Promise<void> {
    const deployment = await this.#deployment();
    const port = await freePort();
    const process = await this.#begin(deployment, "gateway", "restarting", port);
    this.#restarting = { deployment, port, process, at: Date.now() };
  }

  async #deployment(more: Readonly<Record<string, string>> = {}): Promise<Deployment> {
    const deployment = await Deployment.create(undefined, more);
    this.#deployments.push(deployment);
    return deployment;
  }

  /** Starts a process that is scraped; it need not become ready. */
  async #begin(
    deployment: Deployment,
    program: Extract<Program, Target["job"]>,
    namespace: string,
    port?: number,
    more: Readonly<Record<string, string>> = {},
  ): Promise<ServiceProcess> {
    const operationsPort = port ?? (await freePort());
    const environment = { OPERATIONS_PORT: String(operationsPort), ...more };
    const process = await deployment.begin(program, { environment });
    this.targets.push({ job: program, namespace, port: operationsPort });
    return process;
  }
}

/** Sends until the spill is full. */
async function fill(url: string): Promise<void> {
  const isRefused = ({ reports }: LoadResult) => reports.some(({ status }) => status === 503);
  await waitFor(async () => isRefused(await sendReports({ url, count: 500, connections: 32 })), {
    what: "a full spill",
    timeoutMs: 120_000,
  });
}

const clientOf = ({ settings }: Deployment) =>
  new Kafka({
    brokers: String(settings["KAFKA_BROKERS"]).split(","),
    logLevel: logLevel.NOTHING,
  });

/** Writes records to partition 0: so many bad ones, then good ones. */
async function produce(deployment: Deployment, bad: number, good: number): Promise<void> {
  const producer = clientOf(deployment).producer({
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  const reports = Array.from({ length: good }, () => {
    const { key, value, headers } = encodeReport(aReceivedReport({ receivedAt: new Date() }));
    return { key, value, headers: { ...headers }, partition: 0 };
  });
  const foreign = Array.from({ length: bad }, () => ({ value: "no report", partition: 0 }));
  const topic = String(deployment.settings["KAFKA_TOPIC"]);
  await producer.send({ topic, acks: -1, messages: [...foreign, ...reports] });
  await producer.disconnect();
}

/** Removes the first records of partition 0, as a retention that is too short would. */
async function removeFirst(deployment: Deployment, records: number): Promise<void> {
  const admin = clientOf(deployment).admin();
  await admin.connect();
  const topic = String(deployment.settings["KAFKA_TOPIC"]);
  const partitions = [{ partition: 0, offset: String(records) }];
  await admin.deleteTopicRecords({ topic, partitions });
  await admin.disconnect();
}
