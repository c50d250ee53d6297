import type { Logger } from "@push-reports/service-kit";
import { findRepeats } from "./find-repeats.js";
import type { RangeCounts } from "./ingest-observer.js";
import { isOld } from "./insert-once.js";
import { type InsertRowsParts, insertRows } from "./insert-rows.js";
import type { Ledger } from "./ledger.js";
import { receiptTimes } from "./receipt-times.js";
import type { AssignedPartition } from "./record-source.js";
import { encodeIntent, type ReportRange, spanOf } from "./report-range.js";
import { buildRowLines } from "./row-lines.js";
import { setAside } from "./set-aside.js";
import type { ViewWatch } from "./view-watch.js";

/** The collaborators of the protocol. */
export interface IngestParts extends InsertRowsParts {
  readonly ledger: Ledger;
  readonly viewWatch: ViewWatch;
}

/** How one range follows another. */
export interface RangeTurn {
  /** Its intent was committed already: with the range before it, or by an earlier owner. */
  readonly announced: boolean;
  /** An earlier epoch may have inserted it, or be at it. */
  readonly mayBeStored: boolean;
  /** Rows of it, or behind it, may be there under other names: its intent says so, and a successor asks as well. */
  readonly mustLookUp: boolean;
  /** Offsets of it that are rows already: known when it is recovered by looking them up, else empty. */
  readonly stored: ReadonlySet<number>;
  /** Cuts the range that follows when its records are there, so that its intent rides along with this one's commit. */
  readonly cutNext: (counts: RangeCounts) => ReportRange | null;
}

/**
 * Takes one range from the log into the tables, exactly once, whatever dies at any line: each step is durable before the
 * next begins, and a successor that finds the intent does the same again under the same name.
 * @returns the next range, announced, when there was one.
 * @throws EpochEndedError when the partition is no longer ours: nothing after that line has happened.
 */
export async function ingestRange(
  range: ReportRange,
  assigned: AssignedPartition,
  parts: IngestParts,
  turn: RangeTurn,
): Promise<ReportRange | null> {
  const { observer, retrier, ledger } = parts;
  const { ended } = assigned;

  await observer.reached("cut", range);
  const onRetry = () => observer.commitRetried?.(assigned.partition);
  if (!turn.announced) await assigned.commit(range.first, encodeIntent(range, turn), onRetry);
  await observer.reached("intent_committed", range);

  const missing = range.records.filter((record) => !turn.stored.has(record.offset));
  const repeated = await findRepeats(missing, (candidates) =>
    retrier.run("look_up", assigned, () =>
      parts.storedReports.repeatedAmong(range.partition, candidates),
    ),
  );
  const fresh = missing.filter((record) => !repeated.has(record.offset));
  const { lines, unreadable } = buildRowLines(range, fresh);
  await parts.breaker.admit(range, async () => ({ bad: unreadable, isWhole: true }), ended);
  await setAside(range, unreadable, assigned, parts);
  await observer.reached("set_aside", range);

  // Rows beside those of an earlier insert need a name of their own: under its name they would be taken for a repetition.
  const token = turn.stored.size === 0 ? range.name : `${range.name}/rest`;
  const insert = {
    range,
    token,
    mayBeStored: turn.mayBeStored,
    isPartlyStored: turn.stored.size > 0,
    epoch: assigned,
    parts,
  };
  const inserted = await parts.viewWatch.around(range, turn.mayBeStored, assigned, () =>
    insertRows(insert, lines),
  );
  await observer.reached("inserted", range);

  const counts: RangeCounts = {
    rows: turn.stored.size + inserted.records.length,
    setAside: fresh.length - inserted.records.length,
    repeated: repeated.size,
    absent: spanOf(range) - turn.stored.size - missing.length,
  };
  const times = receiptTimes(range.records) ?? { receivedFrom: null, receivedTo: null };
  let mayBeBooked = turn.mayBeStored;
  await retrier.run("ledger", assigned, async () => {
    const isRepeated = mayBeBooked || isOld(range, parts);
    mayBeBooked = true;
    await ledger.close({ ...range, ...counts, ...times }, { mayBeBooked: isRepeated });
  });
  await observer.reached("ledger_written", range);

  const next = turn.cutNext(counts);
  await assigned.commit(range.last + 1, next === null ? "" : encodeIntent(next), onRetry);
  await observer.reached("committed", range);
  if (counts.absent > 0) nameAbsent(range, counts, parts.logger);
  observer.completed(range, counts, inserted.bytes.length);
  return next;
}

/** Stretches of absent offsets that are named in one line of the log. */
const NAMED_STRETCHES = 20;

function nameAbsent(range: ReportRange, { absent }: RangeCounts, logger: Logger): void {
  const { source, partition, first, last, name } = range;
  const offsets = [...range.records.map(({ offset }) => offset), last + 1];
  const stretches = offsets
    .map((offset, index) => ({ from: (offsets[index - 1] ?? first - 1) + 1, to: offset - 1 }))
    .filter(({ from, to }) => from <= to)
    .slice(0, NAMED_STRETCHES);
  logger.error("records_absent", { source, partition, first, last, name, absent, stretches });
}
