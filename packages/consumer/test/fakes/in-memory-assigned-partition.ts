import type { Clock } from "@push-reports/service-kit";
import { RecordQueue } from "../../src/record-queue.js";
import {
  type AssignedPartition,
  EpochEndedError,
  type PartitionPosition,
  type SourceRecord,
  type TakeLimits,
} from "../../src/record-source.js";
import type { SharedBuffer } from "../../src/shared-buffer.js";
import { FailuresOnCommand } from "./failures-on-command.js";
import type { InMemoryLog } from "./in-memory-log.js";

/** One epoch of an {@link InMemoryLog}. */
export class InMemoryAssignedPartition implements AssignedPartition {
  /** Commits that fail as planned; only what is thrown here is not tried again. */
  readonly commitFailures = new FailuresOnCommand();
  /** So many attempts of the next commit fail before one succeeds. */
  commitRetries = 0;
  readonly positionFailures = new FailuresOnCommand();
  /** Called when records are asked for and the log has given all that it holds. */
  onIdle: () => void = () => undefined;
  readonly #log: InMemoryLog;
  readonly #ended = new AbortController();
  readonly #queue: RecordQueue;
  #nextOffset: number | null = null;

  constructor(log: InMemoryLog, clock: Clock, buffer: SharedBuffer) {
    this.#log = log;
    // Later, so that room made within a take is filled behind it, as by another fetch.
    this.#queue = new RecordQueue(clock, buffer, () => queueMicrotask(() => this.pump()));
  }

  get partition(): number {
    return this.#log.partition;
  }

  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /** Records that wait in memory. */
  get waiting(): number {
    return this.#queue.length;
  }

  async position(): Promise<PartitionPosition> {
    this.ended.throwIfAborted();
    const { committed, lowWatermark, highWatermark } = this.#log;
    const { offset = null, metadata = "" } = committed ?? {};
    return await this.positionFailures.around(() => ({
      committedOffset: offset,
      metadata,
      lowWatermark,
      highWatermark,
    }));
  }

  startAt(offset: number): void {
    const { lowWatermark, highWatermark } = this.#log;
    if (this.#nextOffset !== null) throw new Error("startAt was called before");
    if (offset < lowWatermark || offset > highWatermark)
      throw new RangeError(`The log holds ${lowWatermark} to ${highWatermark}, not ${offset}`);
    this.#nextOffset = offset;
    this.#queue.startAt(offset, highWatermark);
    this.pump();
  }

  async take(limits: TakeLimits): Promise<readonly SourceRecord[]> {
    if (this.#queue.length === 0 && this.#nextOffset === this.#log.highWatermark) this.onIdle();
    return await this.#queue.take(limits);
  }

  takeReady(limits: TakeLimits): readonly SourceRecord[] | null {
    return this.#queue.takeReady(limits);
  }

  async takeThrough(lastOffset: number): Promise<readonly SourceRecord[]> {
    return await this.#queue.takeThrough(lastOffset);
  }

  async commit(offset: number, metadata: string, onRetry?: () => void): Promise<void> {
    if (this.ended.aborted) throw this.ended.reason;
    for (; this.commitRetries > 0; this.commitRetries -= 1) onRetry?.();
    if (Buffer.byteLength(metadata) > 4_096) throw new RangeError("The metadata is too long");
    await this.commitFailures.around(() => {
      if (this.ended.aborted) throw this.ended.reason;
      this.#log.commit(offset, metadata);
    });
    this.#queue.release(offset);
  }

  /** Ends the epoch. */
  end(): void {
    const error = new EpochEndedError(this.partition);
    this.#queue.end(error);
    this.#ended.abort(error);
  }

  /** Hands over what the log holds, until the queue is full. */
  pump(): void {
    const start = this.#nextOffset;
    if (start === null || this.ended.aborted || this.#queue.isFull()) return;
    for (const record of this.#log.from(start)) {
      this.#nextOffset = record.offset + 1;
      this.#queue.push([record], this.#nextOffset, this.#log.highWatermark);
      if (this.#queue.isFull()) return;
    }
    this.#nextOffset = this.#log.highWatermark;
    this.#queue.push([], this.#nextOffset, this.#log.highWatermark);
  }
}
