import type { Clock } from "@push-reports/service-kit";
import type { SourceRecord } from "../../src/record-source.js";
import { SharedBuffer } from "../../src/shared-buffer.js";
import { InMemoryAssignedPartition } from "./in-memory-assigned-partition.js";

/** What is appended: a record that has no offset yet. */
export type NewRecord = Omit<SourceRecord, "offset">;

/** What was committed. */
export interface Commit {
  readonly offset: number;
  readonly metadata: string;
}

/** Footprint of the records that a partition's queue holds, bytes. */
const CAPACITY_BYTES = 64 * 1024 * 1024;

/** One partition of a topic, and what its group committed; both outlive the processes that read it. */
export class InMemoryLog {
  readonly partition: number;
  readonly #clock: Clock;
  readonly #journal: string[];
  #records: SourceRecord[] = [];
  #lowWatermark = 0;
  #highWatermark = 0;
  #commits: Commit[] = [];
  #owner: InMemoryAssignedPartition | null = null;

  constructor(partition: number, clock: Clock, journal: string[] = []) {
    this.partition = partition;
    this.#clock = clock;
    this.#journal = journal;
  }

  get lowWatermark(): number {
    return this.#lowWatermark;
  }

  get highWatermark(): number {
    return this.#highWatermark;
  }

  /** Every commit, the one that counts last. */
  get commits(): readonly Commit[] {
    return this.#commits;
  }

  get committed(): Commit | null {
    return this.#commits.at(-1) ?? null;
  }

  /** Adds records at the end and gives them with their offsets. */
  append(records: readonly NewRecord[]): readonly SourceRecord[] {
    const appended = records.map((record, index) => ({
      ...record,
      offset: this.#highWatermark + index,
    }));
    this.#records.push(...appended);
    this.#highWatermark += records.length;
    this.#owner?.pump();
    return appended;
  }

  /** Offsets that no reader ever sees a record at. */
  skip(count: number): void {
    this.#highWatermark += count;
    this.#owner?.pump();
  }

  /** Retention: records below `offset` are gone. */
  trimTo(offset: number): void {
    this.#lowWatermark = Math.min(Math.max(offset, this.#lowWatermark), this.#highWatermark);
    this.#records = this.#records.filter((record) => record.offset >= this.#lowWatermark);
  }

  /** A topic that was made again: everything is gone, what the group committed is not. */
  recreate(): void {
    this.#records = [];
    this.#lowWatermark = 0;
    this.#highWatermark = 0;
  }

  /** Records from `offset` on. */
  from(offset: number): readonly SourceRecord[] {
    return this.#records.filter((record) => record.offset >= offset);
  }

  /** Stores a commit, whoever asks: an owner checks its epoch before. */
  commit(offset: number, metadata: string): void {
    this.#journal.push(`commit ${offset}${metadata === "" ? "" : " with intent"}`);
    this.#commits.push({ offset, metadata });
  }

  /** The group forgets what it committed, as it does when it has been empty for long. */
  forgetCommits(): void {
    this.#commits = [];
  }

  /** Begins an epoch; the one before it, if it has not ended, ends. */
  assign(options: { readonly capacityBytes?: number } = {}): InMemoryAssignedPartition {
    this.#owner?.end();
    const buffer = bufferOf(options.capacityBytes ?? CAPACITY_BYTES, this.#clock);
    this.#owner = new InMemoryAssignedPartition(this, this.#clock, buffer);
    return this.#owner;
  }
}

/** Memory of which one partition may hold so much at once, without a loan. */
export function bufferOf(capacityBytes: number, clock: Clock): SharedBuffer {
  return new SharedBuffer(
    { maxBytes: 8 * capacityBytes, rangeBytes: capacityBytes, partitions: 1, lentPercent: 75 },
    clock,
  );
}
