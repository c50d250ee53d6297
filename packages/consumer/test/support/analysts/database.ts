import {
  type ClickHouseClient,
  ClickHouseLogLevel,
  type ClickHouseSettings,
  createClient,
} from "@clickhouse/client";
import { encodeReport, type ReceivedReport } from "@push-reports/report";
import { createLogger, systemClock } from "@push-reports/service-kit";
import { type ClickHouseEndpoint, uniqueName } from "@push-reports/test-support";
import { ClickHouseDeadLetters } from "../../../src/clickhouse-dead-letters.js";
import { ClickHouseLedger } from "../../../src/clickhouse-ledger.js";
import { ClickHouseReportWriter } from "../../../src/clickhouse-report-writer.js";
import { ClickHouseStatements } from "../../../src/clickhouse-statements.js";
import { ClickHouseStoredReports } from "../../../src/clickhouse-stored-reports.js";
import { formatTime } from "../../../src/clickhouse-time.js";
import { migrate, readMigrations, SQL_FOLDER } from "../../../src/index.js";
import type { LedgerEntry } from "../../../src/ledger.js";
import { replay } from "../../../src/replay.js";
import { buildRowLines } from "../../../src/row-lines.js";
import { verify } from "../../../src/verify.js";
import type { Publish, Row } from "./definitions.js";

const SOURCE = "kafka.test.1";
/** Tables that views read and that merge their rows. */
const MERGING = ["notifications", "publish_activity", "instance_hours", "publishes", "reports"];

/** What became of one record. */
export interface RecordEnd {
  readonly report: ReceivedReport;
  /** An attempt at its range had made it a dead letter. */
  readonly isSetAside: boolean;
  /** What its range was completed with. */
  readonly is: "row" | "dead_letter" | "absent";
}

/** A database of a test's own with all tables and views, filled by the consumer's own row building and writer. */
export class AnalystDatabase {
  readonly name = uniqueName("analysts");
  readonly source = SOURCE;
  readonly client: ClickHouseClient;
  readonly statements: ClickHouseStatements;
  readonly #writer: ClickHouseReportWriter;
  readonly #endpoint: ClickHouseEndpoint;
  #offset = 0;

  private constructor(endpoint: ClickHouseEndpoint, profile: ClickHouseSettings) {
    const { url, user, password } = endpoint;
    this.#endpoint = endpoint;
    const log = { level: ClickHouseLogLevel.OFF };
    this.client = createClient({
      url,
      username: user,
      password,
      log,
      clickhouse_settings: profile,
    });
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

  /** @param profile settings that statements have unless they name them themselves, as those of a user's profile. */
  static async create(
    endpoint: ClickHouseEndpoint,
    profile: ClickHouseSettings = {},
  ): Promise<AnalystDatabase> {
    const database = new AnalystDatabase(endpoint, profile);
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
    await this.#close(name, first, { rows: reports.length });
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
    await this.#close(name, first, { setAside: values.length });
  }

  /** Sets records of one range aside, as far as an attempt did so, and then completes the range by what each of them is in the end. */
  async completeRange(ends: readonly RecordEnd[]): Promise<void> {
    const first = this.#offset;
    this.#offset += ends.length;
    const at = { source: SOURCE, partition: 0 };
    const name = `${SOURCE}/0/${first}-${this.#offset - 1}/t`;
    const records = ends.map(({ report }, index) => ({
      offset: first + index,
      ...encodeReport(report),
    }));
    const bad = records
      .filter((_, index) => ends[index]?.isSetAside)
      .map((record) => ({
        record,
        reason: "unknown_version" as const,
        detail: "as an older version would say",
        clickHouseCode: 0,
      }));
    const deadLetters = new ClickHouseDeadLetters(this.statements);
    await deadLetters.setAside({ name, ...at, records: bad }, () => undefined);
    const { lines } = buildRowLines(
      at,
      records.filter((_, index) => ends[index]?.is === "row"),
    );
    if (lines.records.length > 0) await this.#writer.write(name, lines);
    const count = (kind: RecordEnd["is"]) => ends.filter(({ is }) => is === kind).length;
    await this.#close(name, first, {
      rows: count("row"),
      setAside: count("dead_letter"),
      absent: count("absent"),
    });
  }

  /** Makes rows of all dead letters that can be. */
  async replayAll() {
    const at = { database: this.name, source: SOURCE };
    const parts = {
      statements: this.statements,
      storedReports: new ClickHouseStoredReports(this.statements, at),
      database: this.name,
      pause: async () => undefined,
      claim: { renew: async () => undefined },
      onRefused: () => undefined,
    };
    const all = { partition: null, firstOffset: null, lastOffset: null, reason: null };
    return await replay(parts, { source: SOURCE, ...all, from: null, to: null });
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
      readOffsetsSince: async () => new Map([[0, 0]]),
    });
    return verification.discrepancies;
  }

  async #close(
    name: string,
    first: number,
    counted: Partial<Pick<LedgerEntry, "rows" | "setAside" | "absent">>,
  ): Promise<void> {
    const at = { name, source: SOURCE, partition: 0, first, last: this.#offset - 1 };
    const counts = { rows: 0, setAside: 0, repeated: 0, absent: 0, ...counted };
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

  /** Resolves once it is done: "reports DELETE WHERE offset = 1". */
  async alter(statement: string): Promise<void> {
    await this.client.command({
      query: `ALTER TABLE ${this.name}.${statement} SETTINGS mutations_sync = 2`,
    });
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
