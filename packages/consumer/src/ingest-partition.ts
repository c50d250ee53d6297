import { type IngestParts, ingestRange } from "./ingest-range.js";
import {
  type AssignedPartition,
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
import { cutAtOf, cutRange, type ReportRange } from "./report-range.js";

/** What a partition's ingestion needs besides the protocol's parts. */
export interface PartitionParts extends IngestParts, RecoveryParts {
  readonly source: string;
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
  try {
    const start = await recoverPartition(assigned, parts);
    logStart(assigned, start, parts);
    assigned.startAt(start.readFrom);
    let cursor = start.cursor;
    if (start.underWay !== null) cursor = await redo(start, start.underWay, assigned, parts);
    await ingestOnwards(assigned, parts, halted, cursor);
  } catch (error) {
    if (!(error instanceof EpochEndedError)) throw error;
  }
}

/** Does again, exactly, the range that was announced; gives the offset behind it. */
async function redo(
  { readFrom }: PartitionStart,
  underWay: RangeUnderWay,
  assigned: AssignedPartition,
  parts: PartitionParts,
): Promise<number> {
  const { name, first, last } = underWay.intent;
  const records = readFrom > last ? [] : await assigned.takeThrough(last);
  const { source } = parts;
  const { partition } = assigned;
  const range = { name, source, partition, first, last, cutAt: cutAtOf(name), records };
  const stored = await storedOffsets(range, underWay, assigned.ended, parts);
  const turn = { announced: true, stored, cutNext: () => null };
  await ingestRange(range, assigned, parts, turn);
  return last + 1;
}

async function ingestOnwards(
  assigned: AssignedPartition,
  parts: PartitionParts,
  halted: AbortSignal,
  from: number,
): Promise<void> {
  let cursor = from;
  const cut = (records: readonly SourceRecord[] | null): ReportRange | null => {
    if (records === null) return null;
    const at = { source: parts.source, partition: assigned.partition, first: cursor };
    const range = cutRange(at, records, new Date(parts.clock.now()));
    cursor = range.last + 1;
    return range;
  };
  const cutNext = () => cut(halted.aborted ? null : assigned.takeReady(parts.limits()));
  let announced: ReportRange | null = null;
  for (;;) {
    const range: ReportRange | null =
      announced ?? cut(await takeUnlessHalted(assigned, parts, halted));
    if (range === null) return;
    const turn = { announced: announced !== null, stored: new Set<number>(), cutNext };
    announced = await ingestRange(range, assigned, parts, turn);
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
    return await Promise.race([assigned.take(parts.limits()), stop]);
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
