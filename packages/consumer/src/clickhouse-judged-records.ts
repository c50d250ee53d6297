import type { Clock } from "@push-reports/service-kit";
import type { ClickHouseStatements } from "./clickhouse-statements.js";
import type { JudgedRecords, JudgedStretch } from "./judged-records.js";

/** At most about so many stretches are given, one range or several small ones each: an idle partition's ranges are a record each. */
const STRETCHES = 500;

/** Asks the ledger for the latest ranges, and the dead letters for their bad records. Both are read by their primary key. */
export class ClickHouseJudgedRecords implements JudgedRecords {
  readonly #statements: ClickHouseStatements;
  readonly #database: string;
  readonly #source: string;
  readonly #clock: Pick<Clock, "now">;

  constructor(
    statements: ClickHouseStatements,
    at: { readonly database: string; readonly source: string },
    clock: Pick<Clock, "now">,
  ) {
    this.#statements = statements;
    this.#database = at.database;
    this.#source = at.source;
    this.#clock = clock;
  }

  async latest(
    partition: number,
    most: { readonly records: number; readonly bad: number },
  ): Promise<readonly JudgedStretch[]> {
    const stretches = await this.#stretches(partition, most.records);
    const [oldest, newest] = [stretches[0], stretches.at(-1)];
    if (oldest === undefined || newest === undefined) return [];
    const within = { first: oldest.first, last: newest.last };
    const bad = await this.#badOffsets(partition, within, most.bad);
    let next = 0;
    return stretches.map((stretch) => {
      const begin = next;
      while (next < bad.length && (bad[next] ?? 0) <= stretch.last) next += 1;
      return { ...stretch, badOffsets: bad.slice(begin, next) };
    });
  }

  /** By the database's own clock it is known how long ago they were complete, whatever ours says. */
  async #stretches(
    partition: number,
    records: number,
  ): Promise<readonly Omit<JudgedStretch, "badOffsets">[]> {
    const rows = await this.#statements.select<{ first: string; last: string; age: string }>(
      `SELECT toString(min(first)) AS first, toString(max(last)) AS last,
         toString(greatest(0, dateDiff('millisecond', max(completed_at), now64(3, 'UTC')))) AS age
       FROM (
         SELECT first, last, completed_at, last - first + 1 AS span,
           sum(span) OVER (ORDER BY first DESC ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) - span AS behind
         FROM (
           SELECT first, last, completed_at FROM ${this.#database}.ledger
           WHERE source = {source:String} AND partition = {partition:UInt32} AND rows + set_aside + repeated > 0
           ORDER BY source DESC, partition DESC, first DESC LIMIT {records:UInt64}
         )
       ) WHERE behind < {records:UInt64}
       GROUP BY intDiv(behind, {step:UInt64}) AS part ORDER BY part DESC`,
      { source: this.#source, partition, records, step: Math.ceil(records / STRETCHES) },
    );
    const now = this.#clock.now();
    return rows.map(({ first, last, age }) => ({
      partition,
      first: Number(first),
      last: Number(last),
      judgedAt: now - Number(age),
    }));
  }

  async #badOffsets(
    partition: number,
    { first, last }: { readonly first: number; readonly last: number },
    most: number,
  ): Promise<readonly number[]> {
    const [row] = await this.#statements.select<{ offsets: readonly (string | number)[] }>(
      `SELECT arraySort(groupArray(offset)) AS offsets FROM (
         SELECT DISTINCT offset FROM ${this.#database}.dead_letters
         WHERE source = {source:String} AND partition = {partition:UInt32} AND offset BETWEEN {first:UInt64} AND {last:UInt64}
         ORDER BY offset DESC LIMIT {most:UInt64}
       )`,
      { source: this.#source, partition, first, last, most },
    );
    return (row?.offsets ?? []).map(Number);
  }
}
