import type {
  AssignedPartition,
  RecordSource,
  SourceRecord,
  TakeLimits,
} from "@push-reports/consumer";
import { jestGlobals } from "../jest-globals.js";
import { waitFor } from "../wait-for.js";

/** A record that has no offset yet. */
export type UnplacedRecord = Omit<SourceRecord, "offset">;

/** One partition of a log of a test's own, and the sources that read it. */
export interface RecordSourceUnderTest {
  /** A source as a process makes it; not started. */
  createSource(): RecordSource;
  /** Resolves once the records can be read. */
  append(records: readonly UnplacedRecord[]): Promise<void>;
  /** Removes everything below an offset, as retention does. */
  trimTo(offset: number): Promise<void>;
  /** Leaves offsets at which no reader sees a record; only where the log can have such. */
  leaveGap?(): Promise<void>;
  /** Whether a second process can take the partition over. */
  readonly isShared: boolean;
  close(): Promise<void>;
}

/** What is rejected because its epoch has ended is rejected with this. */
export const ENDED = { code: "epoch_ended", name: "EpochEndedError" };
/** Limits that a test does not reach, but for the delay, ms. */
export const PLENTY: TakeLimits = { maxRecords: 10_000, maxBytes: 100_000_000, maxDelayMs: 50 };
/** Joining a group and being dealt a partition may take as long as a rebalance. */
export const ASSIGNMENT_MS = 30_000;

/** A record with a value of so many bytes that says its number. */
export function aRecord(n: number, bytes = 20): UnplacedRecord {
  return {
    timestampMs: 1_700_000_000_000 + n,
    key: Buffer.from(`key-${n}`),
    value: Buffer.from(`value-${n} `.padEnd(bytes, ".")),
    headers: { v: Buffer.from("1") },
  };
}

/** So many of them, from number 0 on. */
export const someRecords = (count: number, bytes?: number) =>
  Array.from({ length: count }, (_, n) => aRecord(n, bytes));

/** Where records lie. */
export const offsetsOf = (records: readonly SourceRecord[]) => records.map(({ offset }) => offset);

/** Whole numbers from `from` to before `end`. */
export const upTo = (end: number, from = 0) =>
  Array.from({ length: end - from }, (_, n) => from + n);

/** A process with its source, and the epochs that it was given. */
class Reader {
  readonly epochs: AssignedPartition[] = [];
  /** What was heard, in order. */
  readonly heard: string[] = [];
  readonly failures: Error[] = [];
  readonly source: RecordSource;

  constructor(source: RecordSource) {
    this.source = source;
  }

  async start(): Promise<void> {
    await this.source.start(
      (assigned) => {
        this.heard.push("assigned");
        this.epochs.push(assigned);
      },
      (error) => this.failures.push(error),
      (partitions) => this.heard.push(`joined with ${partitions}`),
    );
  }

  /** The epoch that has not ended. */
  async owned(): Promise<AssignedPartition> {
    return await waitFor(() => this.epochs.find(({ ended }) => !ended.aborted), {
      what: "the partition to be assigned",
      timeoutMs: ASSIGNMENT_MS,
    });
  }
}

/** A test on a log of its own. */
export type RecordSourceTest = (
  log: RecordSourceUnderTest,
  begin: () => Promise<Reader>,
) => Promise<void>;

/** Runs tests on logs that `open` makes; whatever they started is stopped. */
export function onALog(open: () => Promise<RecordSourceUnderTest>) {
  const { expect } = jestGlobals();
  return (test: RecordSourceTest): (() => Promise<void>) =>
    async () => {
      const log = await open();
      const readers: Reader[] = [];
      try {
        await test(log, async () => {
          const reader = new Reader(log.createSource());
          readers.push(reader);
          await reader.start();
          return reader;
        });
        expect(readers.flatMap(({ failures }) => failures)).toEqual([]);
      } finally {
        await Promise.all(readers.map(({ source }) => source.stop()));
        await log.close();
      }
    };
}
