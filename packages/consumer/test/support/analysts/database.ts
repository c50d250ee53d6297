import { type ClickHouseClient, ClickHouseLogLevel, createClient } from "@clickhouse/client";
import { encodeReport, type ReceivedReport } from "@push-reports/report";
import { createLogger, systemClock } from "@push-reports/service-kit";
import { type ClickHouseEndpoint, uniqueName } from "@push-reports/test-support";
import { ClickHouseDeadLetters } from "../../../src/clickhouse-dead-letters.js";
import { ClickHouseLedger } from "../../../src/clickhouse-ledger.js";
import { ClickHouseReportWriter } from "../../../src/clickhouse-report-writer.js";
import { ClickHouseStatements } from "../../../src/clickhouse-statements.js";
import { formatTime } from "../../../src/clickhouse-time.js";
import { migrate, readMigrations, SQL_FOLDER } from "../../../src/index.js";
import { buildRowLines } from "../../../src/row-lines.js";
import { verify } from "../../../src/verify.js";
import type { Publish, Row } from "./definitions.js";

const SOURCE = "kafka.test.1";
/** Tables that views read and that merge their rows. */
const MERGING = ["notifications", "publish_activity", "instance_hours", "publishes", "reports"];

/** A database of a test's own with all tables and views, filled by the consumer's own row building and writer. */
export class AnalystDatabase {
  readonly name = uniqueName("analysts");
  readonly source = SOURCE;
  readonly client: ClickHouseClient;
  readonly statements: ClickHouseStatements;
  readonly #writer: ClickHouseReportWriter;
  readonly #endpoint: ClickHouseEndpoint;
  #offset = 0;

  private constructor(endpoint: ClickHouseEndpoint) {
    const { url, user, password } = endpoint;
    this.#endpoint = endpoint;
    const log = { level: ClickHouseLogLevel.OFF };
    this.client = createClient({ url, username: user, password, log });
    this.statements = new ClickHouseStatements(this.client, {
      database: this.name,
      maxExecutionSecs: 100,
      insertSettings: [],
      readSettings: [],
    });
    this.#writer = new ClickHouseReportWriter(
      this.statements,
      { database: this.name, source: SOURCE, isReplicated: false },
      systemClock,
    );
  }

  static async create(endpoint: ClickHouseEndpoint): Promise<AnalystDatabase> {
    const database = new AnalystDatabase(endpoint);
    await migrate(
      database.client,
      readMigrations(SQL_FOLDER),
      { database: database.name, retentionMonths: 600, deduplicationWindow: 1_000 },
      createLogger({ service: "test", level: "silent" }),
    );
    return database;
  }

  /** Variables of the analysts' commands. */
  environment(): Record<string, string> {
    const { url, user, password } = this.#endpoint;
    return {
      CLICKHOUSE_URL: url,
      CLICKHOUSE_USER: user,
      CLICKHOUSE_PASSWORD: password,
      CLICKHOUSE_DATABASE: this.name,
    };
  }

  /** Writes one range, under one name, as many times as said. */
  async writeRange(reports: readonly ReceivedReport[], times = 1): Promise<void> {
    const first = this.#offset;
    this.#offset += reports.length;
    const at = { source: SOURCE, partition: 0 };
    const records = reports.map((report, index) => ({
      offset: first + index,
      ...encodeReport(report),
    }));
    const { lines } = buildRowLines(at, records);
    const name = `${SOURCE}/0/${first}-${this.#offset - 1}/t`;
    for (let time = 0; time < times; time += 1) await this.#writer.write(name, lines);
    await this.#close(name, first, reports.length, 0);
  }

  /** Sets records aside as one range, with these values; without a header they cannot be read. */
  async setAside(
    values: readonly (string | null)[],
    headers: Readonly<Record<string, Buffer>> = {},
    key: string | null = null,
  ): Promise<void> {
    const first = this.#offset;
    this.#offset += values.length;
    const name = `${SOURCE}/0/${first}-${this.#offset - 1}/t`;
    const records = values.map((value, index) => ({
      record: {
        offset: first + index,
        key: key === null ? null : Buffer.from(key),
        value: value === null ? null : Buffer.from(value),
        headers,
        timestampMs: Date.now(),
      },
      reason: "no_version" as const,
      detail: "the header v is missing",
      clickHouseCode: 0,
    }));
    const deadLetters = new ClickHouseDeadLetters(this.statements);
    await deadLetters.setAside({ name, source: SOURCE, partition: 0, records }, () => undefined);
    await this.#close(name, first, 0, values.length);
  }

  /** What verify says of the ranges so far. */
  async discrepancies() {
    const position = {
      committedOffset: this.#offset,
      metadata: "",
      lowWatermark: 0,
      highWatermark: this.#offset,
    };
    const verification = await verify(this.statements, {
      database: this.name,
      source: SOURCE,
      since: new Date(Date.now() - 3_600_000),
      readPositions: async () => new Map([[0, position]]),
    });
    return verification.discrepancies;
  }

  async #close(name: string, first: number, rows: number, setAside: number): Promise<void> {
    const at = { name, source: SOURCE, partition: 0, first, last: this.#offset - 1 };
    const counts = { rows, setAside, repeated: 0, absent: 0 };
    const times = { cutAt: new Date(), receivedFrom: null, receivedTo: null };
    await new ClickHouseLedger(this.statements, { database: this.name, source: SOURCE }).close({
      ...at,
      ...counts,
      ...times,
    });
  }

  async insertPublishes(publishes: readonly Publish[]): Promise<void> {
    if (publishes.length === 0) return;
    const rows = publishes.map(({ instanceId, publishId, recipients, title }) => ({
      instance_id: instanceId,
      publish_id: publishId,
      recipients,
      title,
    }));
    await this.client.insert({
      table: `${this.name}.publishes`,
      values: rows,
      format: "JSONEachRow",
    });
  }

  /** Rows of a view with parameters: `ask("late_reports", { instance, late_secs: 60 })`. */
  async ask(view: string, params: Readonly<Record<string, unknown>>): Promise<readonly Row[]> {
    const bound = Object.entries(params).map(
      ([name, value]) => `${name} = {${name}:${typeOf(value)}}`,
    );
    const values = Object.entries(params).map(([name, value]) => [
      name,
      value instanceof Date ? formatTime(value) : value,
    ]);
    return await this.rows(
      `SELECT * FROM ${this.name}.${view}(${bound.join(", ")})`,
      Object.fromEntries(values),
    );
  }

  async rows(
    query: string,
    params: Readonly<Record<string, unknown>> = {},
  ): Promise<readonly Row[]> {
    const result = await this.client.query({
      query: `${query} SETTINGS output_format_json_quote_64bit_integers = 0`,
      query_params: { ...params },
      format: "JSONEachRow",
    });
    return await result.json<Row>();
  }

  /** Merges every table down to one part a month. */
  async merge(): Promise<void> {
    for (const table of MERGING)
      await this.client.command({ query: `OPTIMIZE TABLE ${this.name}.${table} FINAL` });
  }

  async close(): Promise<void> {
    await this.client.command({ query: `DROP DATABASE IF EXISTS ${this.name}` });
    await this.client.close();
  }
}

function typeOf(value: unknown): string {
  if (value instanceof Date) return "DateTime64(3, 'UTC')";
  return typeof value === "number" ? "Int64" : "String";
}
