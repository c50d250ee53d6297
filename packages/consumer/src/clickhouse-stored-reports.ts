import type { ClickHouseStatements } from "./clickhouse-statements.js";
import { formatTime, MONTH_MARGIN_DAYS } from "./clickhouse-time.js";
import { uuidList } from "./clickhouse-uuids.js";
import type { RepeatCandidate, StoredReports, StoredStretch } from "./stored-reports.js";

/** Candidates of one query. */
const CHUNK_CANDIDATES = 1_000;
/** Stands for the offset of a row of another source: lower than any. */
const ELSEWHERE = -1;

/** Asks the table `reports`. Times of receipt bound what it reads: they decide about table partitions and granules. */
export class ClickHouseStoredReports implements StoredReports {
  readonly #statements: ClickHouseStatements;
  readonly #database: string;
  readonly #source: string;

  constructor(statements: ClickHouseStatements, at: { database: string; source: string }) {
    this.#statements = statements;
    this.#database = at.database;
    this.#source = at.source;
  }

  async offsetsIn(stretch: StoredStretch): Promise<ReadonlySet<number>> {
    const { partition, first, last, receivedFrom, receivedTo } = stretch;
    const rows = await this.#statements.select<{ from: string; to: string }>(
      `SELECT toString(min(offset)) AS from, toString(max(offset)) AS to FROM (
         SELECT DISTINCT offset, offset - row_number() OVER (ORDER BY offset) AS island FROM (
           SELECT DISTINCT offset FROM ${this.#database}.reports
           WHERE source = {source:String} AND partition = {partition:UInt32}
             AND offset BETWEEN {first:UInt64} AND {last:UInt64}
             AND received_at BETWEEN {from:DateTime64(3, 'UTC')} AND {to:DateTime64(3, 'UTC')}
         )
       ) GROUP BY island`,
      {
        source: this.#source,
        partition,
        first,
        last,
        from: formatTime(receivedFrom),
        to: formatTime(receivedTo),
      },
    );
    const offsets = new Set<number>();
    for (const row of rows)
      for (let offset = Number(row.from); offset <= Number(row.to); offset += 1)
        offsets.add(offset);
    return offsets;
  }

  /** The table itself says when its rows expire; one that says nothing keeps them. */
  async expiredBefore(): Promise<Date> {
    const [row] = await this.#statements.select<{ ms: string }>(
      `SELECT toString(if(months = 0, 0,
         toUnixTimestamp64Milli(subtractMonths(now64(3, 'UTC'), months) + INTERVAL ${MONTH_MARGIN_DAYS} DAY))) AS ms
       FROM (
         SELECT toUInt32OrZero(extract(create_table_query, 'toIntervalMonth\\((\\d+)\\)')) AS months
         FROM system.tables WHERE database = {database:String} AND name = 'reports'
       )`,
      { database: this.#database },
    );
    return new Date(Number(row?.ms ?? 0));
  }

  async repeatedAmong(
    partition: number,
    candidates: readonly RepeatCandidate[],
  ): Promise<ReadonlySet<number>> {
    const repeated = new Set<number>();
    for (let at = 0; at < candidates.length; at += CHUNK_CANDIDATES) {
      const chunk = candidates.slice(at, at + CHUNK_CANDIDATES);
      const lowest = await this.#lowestOffsets(partition, chunk);
      for (const { reportId, offset } of chunk)
        if ((lowest.get(reportId) ?? offset) < offset) repeated.add(offset);
    }
    return repeated;
  }

  async #lowestOffsets(
    partition: number,
    candidates: readonly RepeatCandidate[],
  ): Promise<ReadonlyMap<string, number>> {
    const ids = uuidList(candidates.map(({ reportId }) => reportId));
    const times = candidates.map(({ receivedAt }) => receivedAt.getTime());
    const rows = await this.#statements.select<{ id: string; lowest: string }>(
      `SELECT toString(report_id) AS id,
         toString(min(if(source = {source:String}, toInt64(offset), ${ELSEWHERE}))) AS lowest
       FROM ${this.#database}.reports
       WHERE report_id IN (${ids}) AND (source != {source:String} OR partition = {partition:UInt32})
         AND received_at BETWEEN {from:DateTime64(3, 'UTC')} AND {to:DateTime64(3, 'UTC')}
       GROUP BY report_id`,
      {
        source: this.#source,
        partition,
        from: formatTime(new Date(Math.min(...times))),
        to: formatTime(new Date(Math.max(...times))),
      },
    );
    return new Map(rows.map(({ id, lowest }) => [id, Number(lowest)]));
  }
}
