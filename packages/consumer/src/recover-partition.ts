import { Backoff, type Clock, type Logger } from "@push-reports/service-kit";
import type { Ledger } from "./ledger.js";
import { stretchOf } from "./receipt-times.js";
import type { AssignedPartition, Epoch, PartitionPosition } from "./record-source.js";
import {
  cutAtOf,
  decodeIntent,
  type RangeIntent,
  type ReportRange,
  UnreadableIntentError,
} from "./report-range.js";
import type { StoredReports } from "./stored-reports.js";
import type { WriteRetrier } from "./write-retrier.js";

/** Where ingestion of a partition begins in a new epoch. */
export interface PartitionStart {
  /** The first offset that is not complete. */
  readonly cursor: number;
  /** Where the log can be read from: the cursor, or the low watermark when that is higher. */
  readonly readFrom: number;
  /** The range that was under way, to be done first and exactly. */
  readonly underWay: RangeUnderWay | null;
  /** Whether the group's offset says the same; where it lags, whoever scales or alerts by it sees records that are rows long since. */
  readonly isCommitted: boolean;
}

/** A range that an earlier epoch announced and did not complete. */
export interface RangeUnderWay {
  readonly intent: RangeIntent;
  /** The deduplication token alone does not suffice: ask which of its offsets are rows. */
  readonly mustLookUp: boolean;
}

/** The log ends before offsets that are known to have been in it. */
export class LogEndsEarlyError extends Error {
  override readonly name = "LogEndsEarlyError";
  readonly code = "log_ends_early";

  constructor(partition: number, expected: number, { highWatermark }: PartitionPosition) {
    super(
      `Partition ${partition} ends at offset ${highWatermark}, but offsets up to ${expected} were read from it before. ` +
        "The topic was deleted and made again, or lost acknowledged records. If it was made again, give it a new KAFKA_SOURCE.",
    );
  }
}

/** The collaborators of recovery. */
export interface RecoveryParts {
  readonly ledger: Ledger;
  readonly storedReports: StoredReports;
  readonly retrier: WriteRetrier;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long after it was cut a range's token is sure to be remembered, ms; past that its rows are looked up. */
  readonly tokenTrustMs: number;
  /** After this time the database ends an insert by itself, ms. */
  readonly insertTimeoutMs: number;
}

/** Reads of the position that may disagree with the ledger before it is believed: a new leader's high watermark lags. */
const POSITION_READS = 6;

/**
 * Finds where to begin: the further of the committed offset and the ledger's end, and the range that was under way.
 * @throws EpochEndedError, LogEndsEarlyError, UnreadableIntentError
 */
export async function recoverPartition(
  assigned: AssignedPartition,
  parts: RecoveryParts,
): Promise<PartitionStart> {
  const { partition, ended } = assigned;
  const backoff = new Backoff({ initialMs: 200, maxMs: 2_000 });
  for (;;) {
    const position = await parts.retrier.run("read_position", assigned, () => assigned.position());
    const intent = intentOf(position, partition);
    const ledgerEnd = await parts.retrier.run("look_up", assigned, () =>
      parts.ledger.endFrom(partition, position.committedOffset),
    );
    const cursor = Math.max(position.committedOffset ?? 0, ledgerEnd ?? 0);
    const pending = intent !== null && intent.last >= cursor ? intent : null;
    const known = pending === null ? cursor : pending.last + 1;
    if (known <= position.highWatermark) return startOf(position, cursor, pending, parts);
    if (backoff.attempts >= POSITION_READS) throw new LogEndsEarlyError(partition, known, position);
    await parts.clock.sleep(backoff.next(), ended);
  }
}

/** Which offsets of a range are rows, within the times of receipt that {@link stretchOf} gives it. */
export async function storedOffsets(
  range: ReportRange,
  epoch: Epoch,
  { storedReports, retrier }: RecoveryParts,
): Promise<ReadonlySet<number>> {
  const stretch = stretchOf(range);
  return await retrier.run("look_up", epoch, () => storedReports.offsetsIn(stretch));
}

function intentOf(position: PartitionPosition, partition: number): RangeIntent | null {
  const intent = decodeIntent(position.metadata, partition);
  if (intent !== null && intent.first !== position.committedOffset)
    throw new UnreadableIntentError(partition);
  return intent;
}

function startOf(
  { lowWatermark, committedOffset }: PartitionPosition,
  cursor: number,
  intent: RangeIntent | null,
  { clock, tokenTrustMs }: RecoveryParts,
): PartitionStart {
  const readFrom = Math.max(cursor, lowWatermark);
  const isCommitted = cursor === (committedOffset ?? 0);
  if (intent === null) return { cursor, readFrom, underWay: null, isCommitted };
  const isOld = clock.now() - cutAtOf(intent.name).getTime() > tokenTrustMs;
  const isCutShort = readFrom > intent.first;
  // An intent stays committed until its range is complete.
  const underWay = { intent, mustLookUp: intent.mustLookUp || isOld || isCutShort };
  return { cursor, readFrom, underWay, isCommitted: true };
}
