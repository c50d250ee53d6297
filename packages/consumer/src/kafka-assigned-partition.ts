import { Backoff, type Clock, type Logger } from "@push-reports/service-kit";
import { RecordQueue } from "./record-queue.js";
import {
  type AssignedPartition,
  EpochEndedError,
  type PartitionPosition,
  type SourceRecord,
  type TakeLimits,
} from "./record-source.js";
import { untilEnded } from "./until-ended.js";

/** What a partition's epoch needs of the group that it belongs to. */
export interface AssignedPartitionParts {
  readonly partition: number;
  /** Footprint of the records that may wait, bytes. */
  readonly capacityBytes: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly readPosition: () => Promise<PartitionPosition>;
  readonly seek: (offset: number) => void;
  readonly pause: () => void;
  readonly resume: () => void;
  /** Commits with the generation held at the moment of the call. */
  readonly commit: (offset: number, metadata: string) => Promise<void>;
}

/** Records of one fetch and the stretch of the log that it covers. */
export interface FetchedRecords {
  readonly fetchedOffset: number;
  readonly records: readonly SourceRecord[];
  readonly nextOffset: number;
}

/** One partition in one epoch of a kafkajs consumer. */
export class KafkaAssignedPartition implements AssignedPartition {
  readonly #parts: AssignedPartitionParts;
  readonly #ended = new AbortController();
  readonly #queue: RecordQueue;
  #expected: number | null = null;
  #lastMismatch: number | null = null;

  constructor(parts: AssignedPartitionParts) {
    this.#parts = parts;
    this.#queue = new RecordQueue(parts.clock, parts.capacityBytes, () =>
      this.#whileOurs(parts.resume),
    );
  }

  get partition(): number {
    return this.#parts.partition;
  }

  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  async position(): Promise<PartitionPosition> {
    this.ended.throwIfAborted();
    const position = await this.#parts.readPosition();
    this.ended.throwIfAborted();
    return position;
  }

  startAt(offset: number): void {
    this.#expected = offset;
    this.#whileOurs(() => {
      this.#parts.seek(offset);
      this.#parts.resume();
    });
  }

  /**
   * Takes what kafkajs fetched, unless it is not what follows: then it seeks there again. Only a fetch that goes wrong in the same
   * way twice shows that the log itself has nothing in between (records that readers never see).
   * @returns whether the records were taken.
   */
  accept({ fetchedOffset, records, nextOffset }: FetchedRecords): boolean {
    const expected = this.#expected;
    if (expected === null || this.ended.aborted) return false;
    const isGap = fetchedOffset > expected && this.#lastMismatch === fetchedOffset;
    if (fetchedOffset !== expected && !isGap) {
      this.#lastMismatch = fetchedOffset;
      this.#parts.seek(expected);
      return false;
    }
    this.#lastMismatch = null;
    this.#expected = nextOffset;
    this.#queue.push(records, nextOffset);
    if (this.#queue.isFull()) this.#parts.pause();
    return true;
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
    const { partition, clock, logger } = this.#parts;
    const backoff = new Backoff({ initialMs: 100, maxMs: 2_000 });
    for (;;) {
      try {
        return await untilEnded(this.#commitInThisTurn(offset, metadata), this.ended);
      } catch (error) {
        if (error instanceof EpochEndedError) throw error;
        const delayMs = backoff.next();
        onRetry?.();
        logger.warn("commit_retry", {
          partition,
          offset,
          attempt: backoff.attempts,
          delayMs,
          error,
        });
        await clock.sleep(delayMs, this.ended);
      }
    }
  }

  /** Ends the epoch: what waits is dropped, and every call rejects from now on. */
  end(): void {
    const error = new EpochEndedError(this.partition);
    this.#queue.end(error);
    this.#ended.abort(error);
  }

  /**
   * Checks the epoch and commits in one go at the start of a turn of the event loop: a join that kafkajs completes is announced within
   * the microtasks of its own turn, so no newer generation can slip in between.
   */
  #commitInThisTurn(offset: number, metadata: string): Promise<void> {
    return new Promise((resolve, reject) => {
      setImmediate(() => {
        if (this.ended.aborted) return reject(this.ended.reason);
        this.#parts.commit(offset, metadata).then(resolve, reject);
      });
    });
  }

  #whileOurs(act: () => void): void {
    if (!this.ended.aborted) act();
  }
}
