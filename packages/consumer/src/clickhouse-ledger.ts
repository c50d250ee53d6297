import type { ClickHouseStatements } from "./clickhouse-statements.js";
import { formatTime } from "./clickhouse-time.js";
import type { Ledger, LedgerEntry } from "./ledger.js";
import { WriteError } from "./report-writer.js";

/** Inserts in a row that the database may acknowledge although their row is not there. */
const MAX_ATTEMPTS = 3;

/** The ledger as a table: one row a range. */
export class ClickHouseLedger implements Ledger {
  readonly #statements: ClickHouseStatements;
  readonly #database: string;
  readonly #source: string;

  constructor(statements: ClickHouseStatements, at: { database: string; source: string }) {
    this.#statements = statements;
    this.#database = at.database;
    this.#source = at.source;
  }

  async endFrom(partition: number, from: number | null): Promise<number | null> {
    const entries = await this.#entriesFrom(partition, from ?? 0);
    const begin = from ?? entries[0]?.first ?? null;
    if (begin === null) return null;
    return entries.reduce(
      (end, { first, last }) => (first <= end ? Math.max(end, last + 1) : end),
      begin,
    );
  }

  async close(entry: LedgerEntry, { mayBeBooked = false } = {}): Promise<void> {
    const { name, source, partition, first, last, rows, setAside, repeated, absent } = entry;
    if (mayBeBooked && ((await this.endFrom(partition, first)) ?? 0) > last) return;
    const row = {
      source,
      partition,
      first,
      last,
      rows,
      set_aside: setAside,
      repeated,
      absent,
      name,
      cut_at: formatTime(entry.cutAt),
      received_from: entry.receivedFrom === null ? null : formatTime(entry.receivedFrom),
      received_to: entry.receivedTo === null ? null : formatTime(entry.receivedTo),
    };
    const line = Buffer.from(`${JSON.stringify(row)}\n`);
    // A repetition may be acknowledged although its row is not there (see insert-once.ts), so the row itself is looked for.
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      await this.#statements.insert(
        "ledger",
        attempt === 0 ? name : `${name}/again-${attempt}`,
        line,
      );
      if (await this.#has(entry)) return;
    }
    throw new WriteError("passes_with_time", 0, `${name} is acknowledged and not in the ledger`);
  }

  async #has({ name, source, partition, first }: LedgerEntry): Promise<boolean> {
    const rows = await this.#statements.select<{ name: string }>(
      `SELECT name FROM ${this.#database}.ledger
       WHERE source = {source:String} AND partition = {partition:UInt32} AND first = {first:UInt64} AND name = {name:String} LIMIT 1`,
      { source, partition, first, name },
    );
    return rows.length > 0;
  }

  /**
   * The contiguous run of entries that `from` begins, merged in the database so that a partition with a long history costs one
   * row an island.
   */
  async #entriesFrom(
    partition: number,
    from: number,
  ): Promise<readonly { first: number; last: number }[]> {
    const rows = await this.#statements.select<{ first: string; last: string }>(
      `SELECT toString(min(first)) AS first, toString(max(last)) AS last FROM (
         SELECT first, last, sum(begins) OVER (ORDER BY first, last) AS island FROM (
           SELECT first, last, first > 1 + max(last) OVER (
             ORDER BY first, last ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
           ) AS begins
           FROM ${this.#database}.ledger
           WHERE source = {source:String} AND partition = {partition:UInt32} AND last >= {from:UInt64}
         )
       ) GROUP BY island ORDER BY island LIMIT 100`,
      { source: this.#source, partition, from },
    );
    return rows.map(({ first, last }) => ({ first: Number(first), last: Number(last) }));
  }
}
