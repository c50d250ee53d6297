import { untilFormerInsertsEnded } from "./former-inserts.js";
import { type IngestParts, ingestRange } from "./ingest-range.js";
import type { JudgedRecords } from "./judged-records.js";
import {
  type AssignedPartition,
  type Awaited,
  EpochEndedError,
  type SourceRecord,
  type TakeLimits,
} from "./record-source.js";
import {
  type PartitionStart,
  type RangeUnderWay,
  type RecoveryParts,
  recoverPartition,
  storedOffsets,
} from "./recover-partition.js";
import { cutAtOf, cutRange, emptyRange, type ReportRange } from "./report-range.js";

/** What a partition's ingestion needs besides the protocol's parts. */
export interface PartitionParts extends IngestParts, RecoveryParts {
  readonly source: string;
  readonly judgedRecords: JudgedRecords;
  /** Read before each cut, so that the delay can follow the number of partitions. */
  readonly limits: () => TakeLimits;
}

/**
 * Ingests one partition for one epoch: what was under way first, then range after range.
 * Resolves when the epoch ended, or when `halted` aborted and the range in hand was completed.
 */
export async function ingestPartition(
  assigned: AssignedPartition,
  parts: PartitionParts,
  halted: AbortSignal,
): Promise<void> {
  const began = parts.clock.now();
  try {
    recallJudgedIfNeeded(assigned, parts);
    const start = await recoverPartition(assigned, parts);
    logStart(assigned, start, parts);
    parts.observer.started?.(assigned.partition, start.cursor);
    if (!start.isCommitted)
      await assigned.commit(start.cursor, "", () =>
        parts.observer.commitRetried?.(assigned.partition),
      );
    assigned.startAt(start.readFrom);
    let cursor = start.cursor;
    if (start.underWay !== null) cursor = await redo(start, start.underWay, began, assigned, parts);
    if (start.readFrom > cursor) cursor = await bookLost(cursor, start.readFrom, assigned, parts);
    const mayBeStored = start.underWay === null || start.underWay.intent.mustLookUp;
    await ingestOnwards(assigned, parts, halted, { cursor, mayBeStored });
  } catch (error) {
    if (!(error instanceof EpochEndedError)) throw error;
  }
}

/** The share of bad records is counted over what former owners set aside, too. */
function recallJudgedIfNeeded(assigned: AssignedPartition, parts: PartitionParts): void {
  const { breaker, judgedRecords, retrier } = parts;
  breaker.assigned(assigned.partition, (partition, most) =>
    retrier.run("look_up", assigned, () => judgedRecords.latest(partition, most)),
  );
}

/** Does again, exactly, the range that was announced; gives the offset behind it. */
async function redo(
  { readFrom }: PartitionStart,
  underWay: RangeUnderWay,
  epochBegan: number,
  assigned: AssignedPartition,
  parts: PartitionParts,
): Promise<number> {
  const { name, first, last } = underWay.intent;
  const records = readFrom > last ? [] : await assigned.takeThrough(last);
  const { source } = parts;
  const { partition } = assigned;
  const range = { name, source, partition, first, last, cutAt: cutAtOf(name), records };
  if (underWay.mustLookUp) await untilFormerInsertsEnded(range, epochBegan, assigned, parts);
  const stored: ReadonlySet<number> = underWay.mustLookUp
    ? await storedOffsets(range, assigned, parts)
    : new Set();
  parts.observer.recovered?.(range, stored.size);
  const { mustLookUp } = underWay;
  const turn = { announced: true, mayBeStored: true, mustLookUp, stored, cutNext: () => null };
  await ingestRange(range, assigned, parts, turn);
  return last + 1;
}

/**
 * Books, as a range without records, what the log no longer held when it was to be read; gives the offset behind it. What of it is a row
 * is booked as that: of an earlier epoch that died before its ledger row, and whose intent was lost with the group's commits.
 */
async function bookLost(
  first: number,
  readFrom: number,
  assigned: AssignedPartition,
  parts: PartitionParts,
): Promise<number> {
  const at = { source: parts.source, partition: assigned.partition, first, last: readFrom - 1 };
  const range = emptyRange(at, new Date(parts.clock.now()));
  const stored = await storedOffsets(range, assigned, parts);
  if (stored.size > 0) parts.observer.recovered?.(range, stored.size);
  const turn = {
    announced: false,
    mayBeStored: false,
    mustLookUp: true,
    stored,
    cutNext: () => null,
  };
  await ingestRange(range, assigned, parts, turn);
  return readFrom;
}

/**
 * Range after range. As long as rows of an earlier epoch may be there whose intent is lost, each range is looked up first, and its intent
 * says so: a successor has to look it up too, and what follows it.
 */
async function ingestOnwards(
  assigned: AssignedPartition,
  parts: PartitionParts,
  halted: AbortSignal,
  from: { readonly cursor: number; readonly mayBeStored: boolean },
): Promise<void> {
  let { cursor, mayBeStored } = from;
  const cut = (records: readonly SourceRecord[] | null): ReportRange | null => {
    if (records === null) return null;
    const at = { source: parts.source, partition: assigned.partition, first: cursor };
    const range = cutRange(at, records, new Date(parts.clock.now()));
    cursor = range.last + 1;
    return range;
  };
  const isHeld = () => halted.aborted || parts.breaker.heldRange() !== null;
  const cutNext = () => cut(isHeld() ? null : assigned.takeReady(parts.limits()));
  let announced: ReportRange | null = null;
  for (;;) {
    const range: ReportRange | null =
      announced ?? cut(await takeUnlessHalted(assigned, parts, halted));
    if (range === null) return;
    const stored: ReadonlySet<number> = mayBeStored
      ? await storedOffsets(range, assigned, parts)
      : new Set();
    if (stored.size > 0) parts.observer.recovered?.(range, stored.size);
    announced = await ingestRange(range, assigned, parts, {
      announced: announced !== null,
      mayBeStored: stored.size > 0,
      mustLookUp: mayBeStored,
      stored,
      cutNext: ({ rows }) => {
        // A range of which rows were to be inserted, and none was there, lies behind all that an earlier epoch inserted.
        mayBeStored &&= stored.size > 0 || rows === 0;
        return mayBeStored ? null : cutNext();
      },
    });
  }
}

async function takeUnlessHalted(
  assigned: AssignedPartition,
  parts: PartitionParts,
  halted: AbortSignal,
): Promise<readonly SourceRecord[] | null> {
  if (halted.aborted) return null;
  let onHalt: (() => void) | undefined;
  const stop = new Promise<null>((resolve) => {
    onHalt = () => resolve(null);
    halted.addEventListener("abort", onHalt, { once: true });
  });
  try {
    const onWait = (awaited: Awaited) => parts.observer.awaits?.(assigned.partition, awaited);
    const taken = assigned.take({ ...parts.limits(), onWait });
    const records = await Promise.race([taken, stop]);
    await Promise.race([parts.breaker.untilClosed(assigned.ended), stop]);
    assigned.ended.throwIfAborted();
    return halted.aborted ? null : records;
  } finally {
    if (onHalt) halted.removeEventListener("abort", onHalt);
  }
}

function logStart(
  { partition }: AssignedPartition,
  { cursor, readFrom, underWay }: PartitionStart,
  { logger }: PartitionParts,
): void {
  const fields = { partition, cursor, readFrom, underWay: underWay?.intent.name ?? null };
  logger.info("partition_started", { ...fields, mustLookUp: underWay?.mustLookUp ?? false });
}
