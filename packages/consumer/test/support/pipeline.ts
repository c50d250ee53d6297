import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from "@clickhouse/client";
import type { ReportRecord } from "@push-reports/report";
import { createLogger } from "@push-reports/service-kit";
import {
  type ClickHouseEndpoint,
  createTopic,
  freePort,
  readTopic,
  uniqueName,
  waitFor,
} from "@push-reports/test-support";
import { type Admin, Kafka, logLevel, Partitioners, type Producer } from "kafkajs";
import { ERASURE_STATEMENT_SECS, openOperatorTools } from "../../src/command-environment.js";
import { runErase } from "../../src/erase-command.js";
import { migrate, readMigrations, SQL_FOLDER } from "../../src/index.js";
import { runReplay } from "../../src/replay-command.js";
import { runCommand } from "../../src/run-command.js";
import { runVerify } from "../../src/verify-command.js";
import { ClickHouseProxy, type Intervention } from "./clickhouse-proxy.js";

/** A record to produce, which need not be one that a gateway would write. */
type NewRecord = Partial<Omit<ReportRecord, "value">> & { readonly value: Buffer | null };

/** A row as it is compared with the topic: where its record lies and which report it is. */
export type RowKey = `${number}/${number} ${string}`;

/** What each of them runs, as its main program does. */
const COMMANDS = {
  verify: { run: runVerify, statementSecs: undefined },
  replay: { run: runReplay, statementSecs: undefined },
  erase: { run: runErase, statementSecs: ERASURE_STATEMENT_SECS },
} as const;

/** Between two looks into the database, ms: each costs it as much as an insert of a few rows. */
const LOOK_EVERY_MS = 250;

/** One of the operators' commands. */
type CommandName = "verify" | "replay" | "erase";

/** How it ended. */
interface CommandEnd {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

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
  readonly #proxies: ClickHouseProxy[] = [];

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
    replication = 1,
  ): Promise<Pipeline> {
    const pipeline = new Pipeline(brokers, endpoint);
    // Reports of the tests are from the past: retention would remove them at its next look.
    const config = { "retention.ms": "-1" };
    await createTopic({ brokers }, { topic: pipeline.topic, partitions, replication, config });
    await createTopic({ brokers }, { topic: pipeline.deadLetterTopic, replication });
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

  /** Starts a proxy in front of ClickHouse, and gives the variables of a process that is to use it. @param intervene as of {@link ClickHouseProxy.start}. */
  async throughProxy(
    intervene: (statement: string) => Intervention,
  ): Promise<Readonly<Record<string, string>>> {
    const proxy = await ClickHouseProxy.start(this.#endpoint.url, intervene);
    this.#proxies.push(proxy);
    return { CLICKHOUSE_URL: proxy.url };
  }

  /** Starts a consumer process; its `exit` resolves with code and signal. */
  start(environment: Readonly<Record<string, string>> = {}) {
    return this.#spawn("../../dist/main.js", environment);
  }

  /** Starts one that goes wrong as its variables say: see crashing-consumer.mjs. */
  startCrashing(environment: Readonly<Record<string, string>>) {
    return this.#spawn("./crashing-consumer.mjs", environment);
  }

  #spawn(path: string, environment: Readonly<Record<string, string>>) {
    const main = fileURLToPath(new URL(path, import.meta.url));
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

  /** Starts a consumer process whose health and series can be asked for. */
  async launch(environment: Readonly<Record<string, string>> = {}) {
    const port = await freePort();
    const started = this.start({ OPERATIONS_PORT: String(port), ...environment });
    const ask = (path: string) => fetch(`http://127.0.0.1:${port}${path}`);
    /** Lines of the log that tell of an event. */
    const events = (event: string) =>
      started
        .log()
        .split("\n")
        .filter((line) => line.includes(`"event":"${event}"`))
        .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
    const metrics = async () => (await ask("/metrics")).text();
    /** Value of a series without its prefix, e.g. `rows_total` or `lag_records{partition="1"}`; null when it is not there. */
    const series = async (name: string): Promise<number | null> => {
      const text = await metrics();
      const start = `push_reports_consumer_${name} `;
      const line = text.split("\n").find((candidate) => candidate.startsWith(start));
      return line === undefined ? null : Number(line.slice(start.length));
    };
    /** What `/readyz` says. */
    const health = async () => {
      const answer = await ask("/readyz");
      const body = (await answer.json()) as { readonly reason?: string };
      return { status: answer.status, reason: body.reason ?? null };
    };
    const live = async () => (await ask("/livez")).status;
    return { ...started, events, metrics, series, health, live };
  }

  /** Stops a consumer and gives how it ended. */
  async stop(consumer: ReturnType<Pipeline["start"]>) {
    consumer.child.kill("SIGTERM");
    return await consumer.exit;
  }

  /** Runs one of the operators' commands to its end, in this process. */
  async command(name: CommandName, ...args: readonly string[]): Promise<CommandEnd> {
    const written = { stdout: "", stderr: "" };
    const writer = (to: keyof typeof written) => ({
      write: (text: string) => {
        written[to] += text;
        return true;
      },
    });
    const program = {
      argv: ["node", name, ...args],
      stdin: { isTTY: false },
      stdout: writer("stdout"),
      stderr: writer("stderr"),
      exitCode: 0,
    };
    const { run, statementSecs } = COMMANDS[name];
    await runCommand(program as unknown as NodeJS.Process, run, () =>
      openOperatorTools(this.environment(), statementSecs),
    );
    return { code: program.exitCode, ...written };
  }

  /** Begins one of them as built, in a process of its own, which may be killed; with other variables than the pipeline's where some are given. */
  begin(
    name: CommandName,
    args: readonly string[],
    environment: Readonly<Record<string, string>> = {},
  ) {
    const main = fileURLToPath(new URL(`../../dist/${name}-main.js`, import.meta.url));
    const env = { ...this.environment(), ...environment };
    let end: (end: CommandEnd) => void = () => undefined;
    const ended = new Promise<CommandEnd>((resolve) => {
      end = resolve;
    });
    const child = execFile(process.execPath, [main, ...args], { env }, (error, stdout, stderr) =>
      end({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
    this.#children.add(child);
    child.once("exit", () => this.#children.delete(child));
    return { child, ended };
  }

  async rows(): Promise<readonly RowKey[]> {
    const rows = await this.rowsOf<{ partition: number; offset: number; report_id: string }>(
      `SELECT partition, offset, report_id FROM ${this.database}.reports ORDER BY partition, offset`,
    );
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
      intervalMs: LOOK_EVERY_MS,
    }).catch((cause: unknown) => {
      throw new Error(`The consumer did not complete the topic. It wrote:\n${log()}`, { cause });
    });
  }

  /** Rows of a query whose tables are those of the test's database. */
  async select(query: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const answer = await fetch(
      `${this.#endpoint.url}/?database=${this.database}&output_format_json_quote_64bit_integers=0`,
      {
        method: "POST",
        headers: {
          "x-clickhouse-user": this.#endpoint.user,
          "x-clickhouse-key": this.#endpoint.password,
        },
        body: `${query} FORMAT JSON`,
      },
    );
    if (!answer.ok) throw new Error(await answer.text());
    return ((await answer.json()) as { data: readonly Record<string, unknown>[] }).data;
  }

  /** Resolves once it is done: "reports DELETE WHERE offset = 1". */
  async alter(statement: string): Promise<void> {
    await this.clickHouse.command({
      query: `ALTER TABLE ${this.database}.${statement} SETTINGS mutations_sync = 2`,
    });
  }

  /** Parts stay as they are inserted, and no mutation gets on, until ClickHouse is started anew. */
  async stopMerges(): Promise<void> {
    const tables = await this.rowsOf<{ name: string }>(
      `SELECT name FROM system.tables WHERE database = '${this.database}' AND engine LIKE '%MergeTree'`,
    );
    for (const { name } of tables)
      await this.clickHouse.command({ query: `SYSTEM STOP MERGES ${this.database}.${name}` });
  }

  /** What a newer version would read is made readable by giving the dead letters the version that this one knows. */
  async makeLettersReadable(): Promise<void> {
    await this.alter(
      "dead_letters UPDATE headers_base64 = mapUpdate(headers_base64, map('v', base64Encode('1'))) WHERE reason = 'unknown_version'",
    );
  }

  async one(expression: string, table: string): Promise<number> {
    const [row] = await this.rowsOf<{ value: number | string }>(
      `SELECT toInt64(${expression}) AS value FROM ${this.database}.${table}`,
    );
    return Number(row?.value);
  }

  /** Rows of a query that names the database, with 64-bit numbers as text. */
  async rowsOf<T>(query: string): Promise<readonly T[]> {
    return await (await this.clickHouse.query({ query, format: "JSONEachRow" })).json<T>();
  }

  async close(): Promise<void> {
    for (const child of this.#children) child.kill("SIGKILL");
    for (const proxy of this.#proxies) await proxy.stop();
    await this.#producer.disconnect();
    await this.admin.disconnect();
    await this.clickHouse.command({ query: `DROP DATABASE IF EXISTS ${this.database}` });
    await this.clickHouse.close();
  }
}
