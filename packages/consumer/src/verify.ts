import type { ClickHouseStatements } from "./clickhouse-statements.js";
import { type Discrepancy, discrepancy } from "./discrepancy.js";
import { type LogAndLedger, logDiscrepancies, UNCOVERED, waitingOf } from "./log-discrepancies.js";
import type { PartitionPosition } from "./record-source.js";
import {
  gapsQuery,
  isYoungQuery,
  lostDeadLettersQuery,
  lowestTracesQuery,
  MOST_LISTED,
  wrongRangesQuery,
} from "./verify-queries.js";

/** What {@link verify} has looked at and found. */
export interface Verification {
  readonly partitions: number;
  readonly ranges: number;
  /** Records in the log that no complete range covers yet: they wait, and are no fault. */
  readonly waitingRecords: number;
  /** Offsets that the log no longer held when they were to be read, as booked. */
  readonly absentOffsets: number;
  readonly discrepancies: readonly Discrepancy[];
  /** Kinds of which there are more than `discrepancies` has. */
  readonly cut: readonly CutList[];
}

/** Of which so many more were found than are listed. */
export interface CutList {
  readonly kind: Discrepancy["kind"];
  readonly unlisted: number;
}

/** What to verify. */
export interface VerifyScope {
  readonly database: string;
  readonly source: string;
  /** Only ranges that were complete since then. */
  readonly since: Date;
  /** Reads where the log and the group stand at the moment: it is asked before the ledger is read and after. */
  readonly readPositions: () => Promise<ReadonlyMap<number, PartitionPosition>>;
  /** The first offset of each partition whose record was received at a time or later; the log's end where there is none. */
  readonly readOffsetsSince: (time: Date) => Promise<ReadonlyMap<number, number>>;
}

interface Stretch {
  readonly partition: number;
  readonly first: string;
  readonly last: string;
  /** How many there are in all. */
  readonly found: string;
}
/** First and last offset that the ledger has of a partition. */
interface Reach {
  readonly partition: number;
  readonly begin: string;
  readonly end: string;
}
interface AbsentRange extends Stretch {
  readonly absent: string;
}
interface LostLetters extends Stretch {
  readonly booked: string;
  readonly kept: string;
}
interface WrongRange extends Stretch {
  readonly booked: string;
  readonly stored: string;
  readonly offsets: string;
}

/** Ledger rows of records that were received since then cannot have expired: retention is a month at least, of which some is margin, ms. */
const UNEXPIRED_MS = 27 * 86_400_000;

/**
 * Compares the log's offsets with the ledger, and each range of the ledger with the rows of `reports`, corrections included, and with the
 * dead letters. Before a partition's first range only that is missing which cannot have expired: what the log or the tables still hold.
 * Ranges under way are left alone, and so are rows that may have expired: of a range that has some, none must be too many.
 * @throws WriteError when ClickHouse does not answer.
 */
export async function verify(
  statements: ClickHouseStatements,
  scope: VerifyScope,
): Promise<Verification> {
  const { database, source } = scope;
  const params = { source, since: secondOf(scope.since) };
  const before = await scope.readPositions();
  const [now] = await statements.select<{ until: string }>(
    "SELECT toString(now64(3, 'UTC')) AS until",
    {},
  );
  const gaps = await statements.select<Stretch>(gapsQuery(database), params);
  const reaches = await statements.select<Reach>(
    `SELECT partition, toString(min(ledger.first)) AS begin, toString(max(ledger.last) + 1) AS end FROM ${database}.ledger
     WHERE source = {source:String} GROUP BY partition`,
    params,
  );
  const overlaps = await statements.select<Stretch>(
    `SELECT partition, toString(first) AS first, toString(last) AS last, toString(count() OVER ()) AS found FROM ${database}.ingest_overlaps
     WHERE source = {source:String} AND completed_at >= {since:DateTime('UTC')} ORDER BY partition, first LIMIT ${MOST_LISTED}`,
    params,
  );
  const absent = await statements.select<AbsentRange>(
    `SELECT partition, toString(first) AS first, toString(last) AS last, toString(absent) AS absent, toString(count() OVER ()) AS found FROM ${database}.ledger
     WHERE source = {source:String} AND completed_at >= {since:DateTime('UTC')} AND ledger.absent > 0
     ORDER BY partition, ledger.first LIMIT ${MOST_LISTED}`,
    params,
  );
  const [totals] = await statements.select<{ ranges: string; absent: string }>(
    `SELECT toString(count()) AS ranges, toString(sum(absent)) AS absent FROM ${database}.ledger
     WHERE source = {source:String} AND completed_at >= {since:DateTime('UTC')}`,
    params,
  );
  const ranges = { ...params, database, until: now?.until };
  const wrong = await statements.select<WrongRange>(wrongRangesQuery(database), ranges);
  const lost = await statements.select<LostLetters>(lostDeadLettersQuery(database), ranges);
  const unexpired = await unexpiredOffsets(statements, scope, before);
  const after = await scope.readPositions();
  // Consumers may be at work: what the ledger has was in the log before, and what is committed or gone from the log is in the ledger later.
  const logs = [...before].map(([partition, position]): LogAndLedger => {
    const reach = reaches.find((entry) => entry.partition === partition);
    return {
      ...position,
      highWatermark: after.get(partition)?.highWatermark ?? position.highWatermark,
      partition,
      begin: reach === undefined ? null : Number(reach.begin),
      end: reach === undefined ? null : Number(reach.end),
      unexpiredFrom: unexpired.get(partition) ?? Number.POSITIVE_INFINITY,
    };
  });
  const discrepancies = [
    ...gaps.map((row) => discrepancy("gap", row, UNCOVERED)),
    ...logs.flatMap(logDiscrepancies),
    ...overlaps.map((row) => discrepancy("overlap", row, "more than one range covers these")),
    ...wrong.map((row) =>
      discrepancy(
        "wrong_rows",
        row,
        `${row.booked} rows booked, ${row.stored} rows of ${row.offsets} offsets found`,
      ),
    ),
    ...lost.map((row) =>
      discrepancy("lost_dead_letters", row, `${row.booked} dead letters booked, ${row.kept} found`),
    ),
    ...absent.map((row) =>
      discrepancy(
        "absent",
        row,
        `${row.absent} of these were gone from the log before they were read`,
      ),
    ),
  ];
  return {
    partitions: before.size,
    ranges: Number(totals?.ranges ?? 0),
    absentOffsets: Number(totals?.absent ?? 0),
    waitingRecords: logs.reduce((sum, log) => sum + waitingOf(log), 0),
    discrepancies,
    cut: [
      cutOf("gap", gaps),
      cutOf("overlap", overlaps),
      cutOf("wrong_rows", wrong),
      cutOf("lost_dead_letters", lost),
      cutOf("absent", absent),
    ].filter(({ unlisted }) => unlisted > 0),
  };
}

/**
 * From which offset on the ledger must have every range of a partition, as far as that is known: where the log begins as long as no row of the
 * ledger can have expired, later where its records are young enough; and where rows and dead letters begin that expire no later than their range.
 */
async function unexpiredOffsets(
  statements: ClickHouseStatements,
  { database, source, since, readOffsetsSince }: VerifyScope,
  positions: ReadonlyMap<number, PartitionPosition>,
): Promise<ReadonlyMap<number, number>> {
  const [ledger] = await statements.select<{ young: number }>(isYoungQuery(database), {});
  const inLog =
    ledger?.young === 1
      ? new Map([...positions].map(([partition, { lowWatermark }]) => [partition, lowWatermark]))
      : await readOffsetsSince(new Date(Date.now() - UNEXPIRED_MS));
  const traces = await statements.select<{ partition: number; lowest: string }>(
    lowestTracesQuery(database),
    { source, since: secondOf(since), database },
  );
  const inTables = new Map(traces.map(({ partition, lowest }) => [partition, Number(lowest)]));
  return new Map(
    [...positions.keys()].map((partition) => [
      partition,
      Math.min(
        inLog.get(partition) ?? Number.POSITIVE_INFINITY,
        inTables.get(partition) ?? Number.POSITIVE_INFINITY,
      ),
    ]),
  );
}

/** A time as text of a ClickHouse `DateTime('UTC')`. */
function secondOf(time: Date): string {
  return time.toISOString().slice(0, 19).replace("T", " ");
}

function cutOf(kind: CutList["kind"], rows: readonly { readonly found: string }[]): CutList {
  return { kind, unlisted: Math.max(0, Number(rows[0]?.found ?? 0) - rows.length) };
}
