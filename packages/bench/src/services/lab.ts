import {
  type ClickHouseServer,
  createTopic,
  freePort,
  type KafkaCluster,
  startClickHouse,
  startKafka,
  uniqueName,
} from "@push-reports/test-support";
import { BenchProcess, type Program } from "./bench-process.js";

/** A gateway, or a peer of it, that takes requests. */
export interface RunningServer {
  readonly port: number;
  readonly process: BenchProcess;
}

/** Everything that a bench runs against; started when it is first asked for. */
export class Lab {
  #kafka: Promise<KafkaCluster> | undefined;
  #clickHouse: Promise<ClickHouseServer> | undefined;
  readonly #processes: BenchProcess[] = [];

  /** One broker, compiled as in production: with replication 1, all in-sync replicas are that one. */
  kafka(): Promise<KafkaCluster> {
    this.#kafka ??= startKafka({ environment: { JAVA_TOOL_OPTIONS: "" } });
    return this.#kafka;
  }

  /** In the broker's network, so that it can read topics itself. */
  clickHouse(): Promise<ClickHouseServer> {
    this.#clickHouse ??= this.kafka().then(({ network }) => startClickHouse({ network }));
    return this.#clickHouse;
  }

  /** A topic whose oldest records go, so that an hour of load does not fill the disk. */
  async topicForLoad(partitions: number): Promise<string> {
    return await createTopic(await this.kafka(), {
      topic: uniqueName("bench"),
      partitions,
      config: {
        "retention.bytes": String(128 * 1024 * 1024),
        "segment.bytes": String(32 * 1024 * 1024),
      },
    });
  }

  /** The gateway on a topic, ready. */
  async gateway(
    topic: string,
    more: Readonly<Record<string, string>> = {},
    nodeOptions: readonly string[] = [],
  ): Promise<RunningServer> {
    const { brokers } = await this.kafka();
    const [port, operationsPort] = [await freePort(), await freePort()];
    const process = this.run(
      "gateway",
      {
        KAFKA_BROKERS: brokers.join(","),
        KAFKA_TOPIC: topic,
        HTTP_PORT: String(port),
        OPERATIONS_PORT: String(operationsPort),
        SHUTDOWN_DELAY_MS: "0",
        LOG_LEVEL: "warn",
        ...more,
      },
      nodeOptions,
    );
    return { port, process: await process.untilReady(operationsPort) };
  }

  /** A peer of the gateway, ready. */
  async peer(
    program: Program,
    more: Readonly<Record<string, string>> = {},
  ): Promise<RunningServer> {
    const port = await freePort();
    const process = this.run(program, { HTTP_PORT: String(port), ...more });
    return { port, process: await process.untilItSaysReady() };
  }

  /** Starts a program; it is stopped with the lab, if not before. */
  run(
    program: Program,
    environment: Readonly<Record<string, string>>,
    nodeOptions: readonly string[] = [],
  ): BenchProcess {
    const process = new BenchProcess(program, environment, nodeOptions);
    this.#processes.push(process);
    return process;
  }

  /** Stops everything. */
  async dispose(): Promise<void> {
    await Promise.all(this.#processes.map((process) => process.stop()));
    await Promise.all([this.#kafka, this.#clickHouse].map(async (one) => (await one)?.stop()));
  }
}
