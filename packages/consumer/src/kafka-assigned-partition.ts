import { Backoff, type Clock, type Logger } from "@push-reports/service-kit";
import { detached } from "./kafka-source-record.js";
import { footprintBytes, RecordQueue } from "./record-queue.js";
import {
  type AssignedPartition,
  EpochEndedError,
  type PartitionPosition,
  type SourceRecord,
  type TakeLimits,
} from "./record-source.js";
import type { SharedBuffer } from "./shared-buffer.js";
import { untilEnded } from "./until-ended.js";

/** What a partition's epoch needs of the group that it belongs to. */
export interface AssignedPartitionParts {
  readonly partition: number;
  /** Memory that it shares with the other partitions. */
  readonly buffer: SharedBuffer;
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
  /** Where the log ended when they were read. */
  readonly logEnd: number;
}

/** One partition in one epoch of a kafkajs consumer. */
export class KafkaAssignedPartition implements AssignedPartition {
  readonly #parts: AssignedPartitionParts;
  readonly #ended = new AbortController();
  readonly #queue: RecordQueue;
  #expected: number | null = null;
  #lastMismatch: number | null = null;
  #highWatermark = 0;

  constructor(parts: AssignedPartitionParts) {
    this.#parts = parts;
    this.#queue = new RecordQueue(parts.clock, parts.buffer, () => this.#whileOurs(parts.resume));
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
    this.#highWatermark = position.highWatermark;
    return position;
  }

  startAt(offset: number): void {
    this.#expected = offset;
    this.#queue.startAt(offset, this.#highWatermark);
    this.#whileOurs(() => {
      this.#parts.seek(offset);
      this.#parts.resume();
    });
  }

  /**
   * Takes what kafkajs fetched, unless it is not what follows: then it seeks there again. Only a fetch that goes wrong in the same
   * way twice shows that the log itself has nothing in between (records that readers never see). Of records for which there is no room it
   * takes the first ones, and fetches the others again later.
   * @returns whether the records were taken, all of them.
   */
  accept({ fetchedOffset, records, nextOffset, logEnd }: FetchedRecords): boolean {
    const expected = this.#expected;
    if (expected === null || this.ended.aborted) return false;
    const isGap = fetchedOffset > expected && this.#lastMismatch === fetchedOffset;
    if (fetchedOffset !== expected && !isGap) {
      this.#lastMismatch = fetchedOffset;
      this.#parts.seek(expected);
      return false;
    }
    this.#lastMismatch = null;
    const footprints = records.map(footprintBytes);
    const room = this.#queue.roomFor(footprints);
    const isWhole = room === records.length;
    const goesOnAt = isWhole ? nextOffset : (records[room]?.offset ?? nextOffset);
    this.#expected = goesOnAt;
    if (!isWhole) this.#parts.seek(goesOnAt);
    this.#queue.push(isWhole ? records : keptOf(records, room), goesOnAt, logEnd, footprints);
    if (this.#queue.isFull()) this.#parts.pause();
    return isWhole;
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
        await untilEnded(this.#commitInThisTurn(offset, metadata), this.ended);
        break;
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
    this.#queue.release(offset);
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

/** Where little of a fetch is kept it is copied, since the rest would stay in memory with it. */
function keptOf(records: readonly SourceRecord[], count: number): readonly SourceRecord[] {
  const kept = records.slice(0, count);
  return count * 2 < records.length ? kept.map(detached) : kept;
}
