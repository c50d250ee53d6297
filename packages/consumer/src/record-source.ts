/** One record as the log holds it, before anyone has judged it. */
export interface SourceRecord {
  readonly offset: number;
  /** Unix milliseconds that the producer gave: time of receipt. */
  readonly timestampMs: number;
  readonly key: Buffer | null;
  /** Null is a tombstone. */
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer | undefined>>;
}

/** Where a partition's consumption and its log stand. */
export interface PartitionPosition {
  /** The next offset by the last commit, or null when there was none. */
  readonly committedOffset: number | null;
  /** What was committed with it; "" when nothing was. */
  readonly metadata: string;
  /** The lowest offset that the log still holds, or its end when it is empty. */
  readonly lowWatermark: number;
  /** One past the highest offset that can be read. */
  readonly highWatermark: number;
}

/** When a wait for records ends. Each bound is at least 1. */
export interface TakeLimits {
  readonly maxRecords: number;
  /** Memory of the records: keys, values, headers and an allowance for each. The first record is given whatever its size. */
  readonly maxBytes: number;
  /** How long after its receipt the oldest waiting record is to be a row, ms, if the log has no more to join it. */
  readonly maxDelayMs: number;
  /** How long it usually takes from taking records until they are rows, ms. @default 0 */
  readonly insertMs?: number;
  /** When what has only waited long enough may be taken; without it, at once. */
  readonly pace?: TakePace;
  /** Called each time that what is waited for may have changed. */
  readonly onWait?: (awaited: Awaited) => void;
}

/** What a wait for records is for. */
export type Awaited =
  /** Records that the log has. */
  | "fetch"
  /** Memory, or an insert of this second, that other partitions have just now. */
  | "turn"
  /** Records that nobody has sent yet, or more to join those that wait. */
  | "idle";

/** Spreads takes over time, so that many partitions with little traffic each make few inserts. */
export interface TakePace {
  /** Takes a turn; Unix ms at which it comes. */
  reserve(): number;
  /** Something was taken without a turn, because a limit was reached. */
  took(): void;
}

/** What a wait within an epoch needs to know of it: whose it is, and when it is over. */
export interface Epoch {
  readonly partition: number;
  readonly ended: AbortSignal;
}

/**
 * One partition for as long as this process is sure to own it: one epoch. When the epoch ends, `ended` aborts and every
 * call rejects with {@link EpochEndedError}; another process may own the partition from then on.
 * Records come in order, each once. A step from one offset to a later one means that the log no longer holds those between.
 */
export interface AssignedPartition extends Epoch {
  /** Reads the broker's word, not a cached one. */
  position(): Promise<PartitionPosition>;
  /** Begins delivery at `offset`, which the log must hold or end at. Called once, before any record is taken. */
  startAt(offset: number): void;
  /** Waits for at least one record, then until a limit is reached. Called once all that was taken before is committed. */
  take(limits: TakeLimits): Promise<readonly SourceRecord[]>;
  /** What `take` would give without waiting: records that already reach a limit, or null. */
  takeReady(limits: TakeLimits): readonly SourceRecord[] | null;
  /** Waits until delivery has passed `lastOffset` and gives every record up to it, whatever their number. */
  takeThrough(lastOffset: number): Promise<readonly SourceRecord[]>;
  /**
   * Moves the committed offset to `offset` and stores `metadata` (at most 4 KiB) with it. Repeats itself unchanged until
   * the outcome is known. Never commits for an epoch that has ended, and waits for no answer once it has.
   * @param onRetry called when an attempt has failed and another is going to follow.
   */
  commit(offset: number, metadata: string, onRetry?: () => void): Promise<void>;
}

/** The partition's epoch is over: abandon what is under way; its successor will do it again under the same name. */
export class EpochEndedError extends Error {
  override readonly name = "EpochEndedError";
  readonly code = "epoch_ended";

  constructor(partition: number) {
    super(`This process no longer owns partition ${partition}`);
  }
}

/** Where the log ends. */
export interface LogEnds {
  /** Partitions that the log has, whoever owns them. */
  readonly partitions: number;
  /** One past the highest offset that can be read, by partition. */
  readonly highWatermarks: ReadonlyMap<number, number>;
}

/** A log of records in partitions that are dealt out to the processes of a group. */
export interface RecordSource {
  /**
   * Joins the group. `onAssigned` is called for each partition of each epoch, after `onJoined` was called with their number,
   * which may be none. `onFailed` is called when the source can go on no longer and the process must end.
   */
  start(
    onAssigned: (partition: AssignedPartition) => void,
    onFailed: (error: Error) => void,
    onJoined: (partitions: number) => void,
  ): Promise<void>;
  /** Reads the broker's word on every partition. @throws Error when there is no answer. */
  ends(): Promise<LogEnds>;
  /** Ends every epoch and leaves the group. Records taken and not committed come again elsewhere. */
  stop(): Promise<void>;
  /** What somebody has to mend before records can be read, or null. */
  problem(): string | null;
  /** Memory of all records that were given to this process and are not committed, bytes. */
  bufferedBytes(): number;
  /** Unix milliseconds of the last sign that the source is at work (a fetch, a heartbeat, a join). */
  lastActivityAt(): number;
}
