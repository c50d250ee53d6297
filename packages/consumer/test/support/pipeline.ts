import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from "@clickhouse/client";
import type { ReportRecord } from "@push-reports/report";
import { createLogger } from "@push-reports/service-kit";
import {
  type ClickHouseEndpoint,
  createTopic,
  readTopic,
  uniqueName,
  waitFor,
} from "@push-reports/test-support";
import { type Admin, Kafka, logLevel, Partitioners, type Producer } from "kafkajs";
import { migrate, readMigrations, SQL_FOLDER } from "../../src/index.js";

/** A record to produce, which need not be one that a gateway would write. */
type NewRecord = Partial<Omit<ReportRecord, "value">> & { readonly value: Buffer | null };

/** A row as it is compared with the topic: where its record lies and which report it is. */
export type RowKey = `${number}/${number} ${string}`;

/** A topic, a group and a database of a test's own, and the processes that consume. */
export class Pipeline {
  readonly name = uniqueName("pipeline");
  readonly topic = this.name;
  readonly deadLetterTopic = `${this.name}-dead-letters`;
  readonly database = this.name.replace(/\W/g, "_");
  readonly source = `kafka.${this.name}.1`;
  readonly kafka: Kafka;
  readonly clickHouse: ClickHouseClient;
  readonly admin: Admin;
  readonly #brokers: readonly string[];
  readonly #endpoint: ClickHouseEndpoint;
  readonly #producer: Producer;
  readonly #children = new Set<ChildProcess>();

  private constructor(brokers: readonly string[], endpoint: ClickHouseEndpoint) {
    this.#brokers = brokers;
    this.#endpoint = endpoint;
    this.kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING });
    this.admin = this.kafka.admin();
    this.#producer = this.kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
    this.clickHouse = createClient({
      url: endpoint.url,
      username: endpoint.user,
      password: endpoint.password,
      log: { level: ClickHouseLogLevel.OFF },
    });
  }

  static async create(
    brokers: readonly string[],
    endpoint: ClickHouseEndpoint,
    partitions: number,
  ): Promise<Pipeline> {
    const pipeline = new Pipeline(brokers, endpoint);
    // Reports of the tests are from the past: retention would remove them at its next look.
    const config = { "retention.ms": "-1" };
    await createTopic({ brokers }, { topic: pipeline.topic, partitions, config });
    await createTopic({ brokers }, { topic: pipeline.deadLetterTopic, partitions: 1 });
    await pipeline.admin.connect();
    await pipeline.#producer.connect();
    await migrate(
      pipeline.clickHouse,
      readMigrations(SQL_FOLDER),
      { database: pipeline.database, retentionMonths: 600, deduplicationWindow: 1_000 },
      createLogger({ service: "test", level: "silent" }),
    );
    return pipeline;
  }

  async produce(partition: number, records: readonly NewRecord[]): Promise<void> {
    const messages = records.map(({ key, value, headers, timestampMs }) => ({
      partition,
      key: key ?? null,
      value: value ?? null,
      ...(headers === undefined ? {} : { headers: { ...headers } }),
      timestamp: String(timestampMs ?? Date.now()),
    }));
    await this.#producer.send({ topic: this.topic, acks: -1, messages });
  }

  /** Variables of the consumer and of the operators' commands. */
  environment(): Record<string, string> {
    return {
      PATH: process.env["PATH"] ?? "",
      KAFKA_BROKERS: this.#brokers.join(","),
      KAFKA_TOPIC: this.topic,
      KAFKA_GROUP_ID: this.name,
      KAFKA_SOURCE: this.source,
      KAFKA_DEAD_LETTER_TOPIC: this.deadLetterTopic,
      KAFKA_SESSION_TIMEOUT_MS: "1500",
      KAFKA_REBALANCE_TIMEOUT_MS: "3000",
      KAFKA_HEARTBEAT_INTERVAL_MS: "300",
      KAFKA_MAX_FETCH_WAIT_MS: "100",
      CLICKHOUSE_URL: this.#endpoint.url,
      CLICKHOUSE_USER: this.#endpoint.user,
      CLICKHOUSE_PASSWORD: this.#endpoint.password,
      CLICKHOUSE_DATABASE: this.database,
      OPERATIONS_PORT: "0",
      MAX_DELAY_MS: "50",
    };
  }

  /** Starts a consumer process; its `exit` resolves with code and signal. */
  start(environment: Readonly<Record<string, string>> = {}) {
    const main = fileURLToPath(new URL("./crashing-consumer.mjs", import.meta.url));
    const child = spawn(process.execPath, [main], {
      env: { ...this.environment(), ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#children.add(child);
    const log: string[] = [];
    child.stdout.on("data", (chunk: Buffer) => log.push(chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => log.push(chunk.toString()));
    const exit = once(child, "exit").then(([code, signal]) => {
      this.#children.delete(child);
      return { code: code as number | null, signal: signal as NodeJS.Signals | null };
    });
    return { child, exit, log: () => log.join("") };
  }

  async rows(): Promise<readonly RowKey[]> {
    const result = await this.clickHouse.query({
      query: `SELECT partition, offset, report_id FROM ${this.database}.reports ORDER BY partition, offset`,
      format: "JSONEachRow",
    });
    const rows = await result.json<{ partition: number; offset: number; report_id: string }>();
    return rows.map(
      ({ partition, offset, report_id }): RowKey => `${partition}/${offset} ${report_id}`,
    );
  }

  /** What the rows must be: every readable record of the topic, at its place. */
  async readable(): Promise<readonly RowKey[]> {
    const records = await readTopic(this.#brokers, this.topic);
    return records.flatMap(({ partition, offset, value }): readonly RowKey[] => {
      const [, id] = /"report_id":"([0-9a-f-]{36})"/.exec(value?.toString() ?? "") ?? [];
      return id === undefined ? [] : [`${partition}/${offset} ${id}`];
    });
  }

  /** Resolves once the ledger covers `records` offsets. @param log what the consumer wrote, for the failure's text. */
  async untilLedgered(records: number, log: () => string, timeoutMs = 60_000): Promise<void> {
    await waitFor(async () => (await this.one("sum(last - first + 1)", "ledger")) >= records, {
      what: `${records} offsets in the ledger`,
      timeoutMs,
    }).catch((cause: unknown) => {
      throw new Error(`The consumer did not complete the topic. It wrote:\n${log()}`, { cause });
    });
  }

  async one(expression: string, table: string): Promise<number> {
    const result = await this.clickHouse.query({
      query: `SELECT toInt64(${expression}) AS value FROM ${this.database}.${table}`,
      format: "JSONEachRow",
    });
    const [row] = await result.json<{ value: number | string }>();
    return Number(row?.value);
  }

  async close(): Promise<void> {
    for (const child of this.#children) child.kill("SIGKILL");
    await this.#producer.disconnect();
    await this.admin.disconnect();
    await this.clickHouse.command({ query: `DROP DATABASE IF EXISTS ${this.database}` });
    await this.clickHouse.close();
  }
}
