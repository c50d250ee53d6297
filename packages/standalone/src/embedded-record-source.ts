import {
  type AssignedPartition,
  EpochEndedError,
  type LogEnds,
  type PartitionPosition,
  RecordQueue,
  type RecordSource,
  SharedBuffer,
  type SourceRecord,
  type TakeLimits,
} from "@push-reports/consumer";
import type { EmbeddedLog } from "@push-reports/embedded-log";
import { Backoff, type Clock, type Logger } from "@push-reports/service-kit";

/** How far the source reads ahead of ingestion. */
export interface EmbeddedRecordSourceOptions {
  /** Footprint of all records from when they are read to their commit, bytes. */
  readonly maxBufferedBytes: number;
  /** Footprint of one range, bytes. */
  readonly maxRangeBytes: number;
}

/** How much of the memory is there only to make a whole range of what waits, %. */
const LENT_PERCENT = 75;
/** The log's only partition. */
const PARTITION = 0;
/** The mark that holds the committed offset and its metadata. */
const COMMITTED = "committed";
/** Records of one read, so that the event loop is not held for long. */
const READ_LIMITS = { maxRecords: 2_000, maxBytes: 1_048_576 };

interface Committed {
  readonly offset: number;
  readonly metadata: string;
}

/**
 * The embedded log as a source with one partition, which this process owns from start to stop. What is committed is trimmed from the
 * log: everything below the committed offset is durable in the database.
 */
export class EmbeddedRecordSource implements RecordSource {
  readonly #log: EmbeddedLog;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #buffer: SharedBuffer;
  #assigned: EmbeddedPartition | null = null;

  constructor(
    log: EmbeddedLog,
    options: EmbeddedRecordSourceOptions,
    clock: Clock,
    logger: Logger,
  ) {
    this.#log = log;
    const { maxBufferedBytes: maxBytes, maxRangeBytes: rangeBytes } = options;
    this.#buffer = new SharedBuffer(
      { maxBytes, rangeBytes, partitions: 1, lentPercent: LENT_PERCENT },
      clock,
    );
    this.#clock = clock;
    this.#logger = logger;
  }

  async start(
    onAssigned: (partition: AssignedPartition) => void,
    onFailed: (error: Error) => void,
    onJoined: (partitions: number) => void,
  ): Promise<void> {
    onJoined(1);
    this.#assigned = new EmbeddedPartition({
      log: this.#log,
      clock: this.#clock,
      logger: this.#logger,
      buffer: this.#buffer,
      onFailed,
    });
    onAssigned(this.#assigned);
  }

  async stop(): Promise<void> {
    this.#assigned?.end();
  }

  async ends(): Promise<LogEnds> {
    return { partitions: 1, highWatermarks: new Map([[PARTITION, this.#log.nextOffset]]) };
  }

  problem(): string | null {
    return null;
  }

  bufferedBytes(): number {
    return this.#buffer.heldBytes;
  }

  /** Reading is a call within the process: the source is never silent. */
  lastActivityAt(): number {
    return this.#clock.now();
  }
}

/** Where ingestion and the log stand, by partition. */
export function embeddedPositions(log: EmbeddedLog): ReadonlyMap<number, PartitionPosition> {
  return new Map([[PARTITION, positionIn(log)]]);
}

function positionIn(log: EmbeddedLog): PartitionPosition {
  const text = log.mark(COMMITTED);
  const committed = text === null ? null : (JSON.parse(text) as Committed);
  return {
    committedOffset: committed?.offset ?? null,
    metadata: committed?.metadata ?? "",
    lowWatermark: log.firstOffset,
    highWatermark: log.nextOffset,
  };
}

interface EmbeddedPartitionParts {
  readonly log: EmbeddedLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly buffer: SharedBuffer;
  readonly onFailed: (error: Error) => void;
}

/** The partition in its one epoch. */
class EmbeddedPartition implements AssignedPartition {
  readonly partition = PARTITION;
  readonly #parts: EmbeddedPartitionParts;
  readonly #log: EmbeddedLog;
  readonly #queue: RecordQueue;
  readonly #ended = new AbortController();
  #readAt: number | null = null;
  #isReading = false;
  #stopListening: () => void = () => undefined;

  constructor(parts: EmbeddedPartitionParts) {
    this.#parts = parts;
    this.#log = parts.log;
    this.#queue = new RecordQueue(parts.clock, parts.buffer, () => this.#fill());
  }

  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  async position(): Promise<PartitionPosition> {
    this.ended.throwIfAborted();
    return positionIn(this.#log);
  }

  startAt(offset: number): void {
    if (this.ended.aborted) return;
    this.#readAt = offset;
    this.#queue.startAt(offset, this.#log.nextOffset);
    this.#stopListening = this.#log.onAppend(() => this.#fill());
    this.#fill();
  }

  take(limits: TakeLimits): Promise<readonly SourceRecord[]> {
    return this.#queue.take(limits);
  }

  takeReady(limits: TakeLimits): readonly SourceRecord[] | null {
    return this.#queue.takeReady(limits);
  }

  takeThrough(lastOffset: number): Promise<readonly SourceRecord[]> {
    return this.#queue.takeThrough(lastOffset);
  }

  async commit(offset: number, metadata: string, onRetry?: () => void): Promise<void> {
    const { clock, logger } = this.#parts;
    const backoff = new Backoff({ initialMs: 100, maxMs: 2_000 });
    const value = JSON.stringify({ offset, metadata } satisfies Committed);
    for (;;) {
      this.ended.throwIfAborted();
      try {
        await this.#log.setMark(COMMITTED, value);
        break;
      } catch (error) {
        const delayMs = backoff.next();
        onRetry?.();
        logger.warn("commit_retry", { offset, attempt: backoff.attempts, delayMs, error });
        await clock.sleep(delayMs, this.ended);
      }
    }
    this.#queue.release(offset);
    this.#trim(offset);
  }

  end(): void {
    const error = new EpochEndedError(PARTITION);
    this.#stopListening();
    this.#queue.end(error);
    this.#ended.abort(error);
  }

  /** Moves records into the queue until it is full or the log is at its end, giving way between reads. */
  #fill(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    setImmediate(() => {
      this.#isReading = false;
      if (this.ended.aborted || this.#readAt === null || this.#queue.isFull()) return;
      try {
        const entries = this.#log.read(this.#readAt, READ_LIMITS);
        const last = entries.at(-1);
        if (last === undefined) return;
        this.#readAt = last.offset + 1;
        this.#queue.push(entries, this.#readAt, this.#log.nextOffset);
        this.#fill();
      } catch (error) {
        this.#fail(error);
      }
    });
  }

  /** Nobody waits for the space: what is not freed now is freed after the next commit. */
  #trim(beforeOffset: number): void {
    this.#log.trim(beforeOffset).catch((error: unknown) => {
      if (!this.ended.aborted) this.#parts.logger.warn("trim_failed", { beforeOffset, error });
    });
  }

  #fail(error: unknown): void {
    this.#parts.onFailed(error instanceof Error ? error : new Error(String(error)));
  }
}
