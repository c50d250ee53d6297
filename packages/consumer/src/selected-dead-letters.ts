import { MAX_RECORD_VALUE_BYTES } from "@push-reports/report";
import type { ClickHouseStatements } from "./clickhouse-statements.js";
import { formatTime } from "./clickhouse-time.js";
import type { SourceRecord } from "./record-source.js";

/** Which dead letters are meant; what is not given does not restrict. */
export interface DeadLetterFilter {
  readonly source: string;
  readonly partition: number | null;
  readonly firstOffset: number | null;
  readonly lastOffset: number | null;
  readonly reason: string | null;
  /** When they were set aside. */
  readonly from: Date | null;
  readonly to: Date | null;
}

/** One as the table has it; numbers of 64 bits as text, bytes as base64. */
export interface DeadLetter {
  readonly partition: number;
  readonly offset: string;
  readonly range_name: string;
  readonly reason: string;
  readonly record_ms: string;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** Dead letters of one page. */
const PAGE = 5_000;
/** Base64 of the longest value that can become a row, and a byte more where there is one: enough to find a longer one too large. */
const MOST_BASE64 = 4 * Math.ceil((MAX_RECORD_VALUE_BYTES + 1) / 3);

/** The dead letters of the table that a filter selects; those of ranges under way are not among them, for they may yet become rows. */
export class SelectedDeadLetters {
  readonly #statements: ClickHouseStatements;
  readonly #database: string;
  readonly #filter: DeadLetterFilter;

  constructor(statements: ClickHouseStatements, database: string, filter: DeadLetterFilter) {
    this.#statements = statements;
    this.#database = database;
    this.#filter = filter;
  }

  /** Partitions that have any. @throws WriteError */
  async partitions(): Promise<readonly number[]> {
    const rows = await this.#statements.select<{ partition: number }>(
      `SELECT DISTINCT partition FROM ${this.#database}.dead_letters WHERE ${this.#conditions()} ORDER BY partition`,
      paramsOf(this.#filter),
    );
    return rows.map(({ partition }) => partition);
  }

  /** Those of a partition behind an offset, in order, a page at most; none at the end. @throws WriteError */
  async pageOf(partition: number, after: number): Promise<readonly DeadLetter[]> {
    return await this.#statements.select<DeadLetter>(
      `SELECT partition, toString(offset) AS offset, range_name, reason, toString(toUnixTimestamp64Milli(record_at)) AS record_ms,
         key_base64 AS key, left(value_base64, ${MOST_BASE64}) AS value, headers_base64 AS headers
       FROM ${this.#database}.dead_letters FINAL
       WHERE ${this.#conditions()} AND partition = {page_partition:UInt32} AND toInt64(dead_letters.offset) > {after:Int64}
       ORDER BY dead_letters.offset LIMIT ${PAGE}`,
      { ...paramsOf(this.#filter), page_partition: partition, after },
    );
  }

  #conditions(): string {
    const filter = this.#filter;
    return [
      "source = {source:String}",
      // What is under way may yet become rows by itself.
      `range_name IN (SELECT name FROM ${this.#database}.ledger WHERE source = {source:String})`,
      ...(filter.partition === null ? [] : ["partition = {partition:UInt32}"]),
      ...(filter.firstOffset === null ? [] : ["dead_letters.offset >= {first:UInt64}"]),
      ...(filter.lastOffset === null ? [] : ["dead_letters.offset <= {last:UInt64}"]),
      ...(filter.reason === null ? [] : ["reason = {reason:String}"]),
      ...(filter.from === null ? [] : ["set_aside_at >= {from:DateTime64(3, 'UTC')}"]),
      ...(filter.to === null ? [] : ["set_aside_at < {to:DateTime64(3, 'UTC')}"]),
    ].join(" AND ");
  }
}

/** The record that was set aside, of a value that is too large for any row only the beginning. */
export function recordOf(letter: DeadLetter): SourceRecord {
  const bytes = (base64: string | null) => (base64 === null ? null : Buffer.from(base64, "base64"));
  const headers = Object.entries(letter.headers).map(
    ([name, value]) => [name, Buffer.from(value, "base64")] as const,
  );
  return {
    offset: Number(letter.offset),
    timestampMs: Number(letter.record_ms),
    key: bytes(letter.key),
    value: bytes(letter.value),
    headers: Object.fromEntries(headers),
  };
}

function paramsOf(filter: DeadLetterFilter): Readonly<Record<string, unknown>> {
  return {
    source: filter.source,
    ...(filter.partition === null ? {} : { partition: filter.partition }),
    ...(filter.firstOffset === null ? {} : { first: filter.firstOffset }),
    ...(filter.lastOffset === null ? {} : { last: filter.lastOffset }),
    ...(filter.reason === null ? {} : { reason: filter.reason }),
    ...(filter.from === null ? {} : { from: formatTime(filter.from) }),
    ...(filter.to === null ? {} : { to: formatTime(filter.to) }),
  };
}
