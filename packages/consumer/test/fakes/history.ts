import type { NewRecord } from "./in-memory-log.js";
import type { IngestionWorld } from "./ingestion-world.js";
import {
  againRecord,
  goodRecord,
  refusedRecord,
  reportId,
  unreadableRecord,
} from "./record-builders.js";

/** What a record of a history is like. */
export type RecordKind =
  | "good"
  /** No report at all. */
  | "unreadable"
  /** A report that the table's checks refuse. */
  | "refused"
  /** A copy, marked as sent again, of an earlier good record; of the first of them when `of` is 0. */
  | { readonly of: number }
  /** Marked as sent again, without a copy: the first send was never written. */
  | "unwritten_before";

/** When a record was received, and what the log says of that. */
export interface RecordTimes {
  readonly receivedAt?: Date;
  readonly timestampMs?: number;
}

/** What must have become of a history's offsets in the end. */
export interface Outcome {
  readonly rows: readonly number[];
  readonly deadLetters: readonly number[];
  readonly repeated: readonly number[];
}

/** Records of an {@link InMemoryLog} and what must become of them. */
export class History {
  readonly #rows: number[] = [];
  readonly #deadLetters: number[] = [];
  readonly #repeated: number[] = [];
  readonly #world: IngestionWorld;

  constructor(world: IngestionWorld) {
    this.#world = world;
  }

  get outcome(): Outcome {
    return { rows: this.#rows, deadLetters: this.#deadLetters, repeated: this.#repeated };
  }

  /** @param times of receipt, and by the log, where a test is about them. */
  append(kinds: readonly RecordKind[], times: RecordTimes = {}): void {
    const { timestampMs, ...received } = times;
    for (const kind of kinds) {
      const offset = this.#world.log.highWatermark;
      const record = this.#record(kind, offset, received);
      this.#world.log.append([{ ...record, timestampMs: timestampMs ?? record.timestampMs }]);
    }
  }

  #record(kind: RecordKind, offset: number, received: { readonly receivedAt?: Date }): NewRecord {
    const id = { reportId: reportId(offset), ...received };
    if (kind === "unreadable" || kind === "refused") {
      this.#deadLetters.push(offset);
      return kind === "refused" ? refusedRecord(id) : unreadableRecord();
    }
    const copied = typeof kind === "object" ? this.#rows[kind.of % this.#rows.length] : undefined;
    if (copied !== undefined) {
      this.#repeated.push(offset);
      return againRecord({ ...received, reportId: reportId(copied) });
    }
    this.#rows.push(offset);
    return kind === "good" ? goodRecord(id) : againRecord(id);
  }
}

/** What has become of a world's offsets, to be compared with {@link History.outcome}. */
export function outcomeOf(world: IngestionWorld): Omit<Outcome, "repeated"> {
  return { rows: world.rowOffsets, deadLetters: world.deadLetters.offsets };
}

/** Sums of the ledger's counts. @throws Error when its ranges leave a hole or overlap. */
export function ledgerSums({ ledger }: IngestionWorld) {
  const sums = { end: 0, rows: 0, setAside: 0, repeated: 0, absent: 0 };
  for (const entry of [...ledger.entries].sort((a, b) => a.first - b.first)) {
    if (entry.first !== sums.end)
      throw new Error(`${entry.name} does not begin where the range before it ended, ${sums.end}`);
    sums.end = entry.last + 1;
    sums.rows += entry.rows;
    sums.setAside += entry.setAside;
    sums.repeated += entry.repeated;
    sums.absent += entry.absent;
  }
  return sums;
}
