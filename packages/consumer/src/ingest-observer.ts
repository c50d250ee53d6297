import type { Awaited } from "./record-source.js";
import type { ReportRange } from "./report-range.js";
import type { BadRecord } from "./row-lines.js";

/** The steps of the protocol, in order. */
export type IngestStep =
  | "cut"
  | "intent_committed"
  | "set_aside"
  | "inserted"
  | "ledger_written"
  | "committed";

/** What became of a range's offsets. */
export interface RangeCounts {
  readonly rows: number;
  readonly setAside: number;
  readonly repeated: number;
  readonly absent: number;
}

/** Hears of each step as it is reached; the protocol goes on once `reached` has resolved. */
export interface IngestObserver {
  /** An epoch of the partition has begun; where to begin is not known yet. */
  assigned?(partition: number): void;
  /** Recovery has found where to begin: everything below `cursor` is complete. */
  started?(partition: number, cursor: number): void;
  /** The partition is no longer ours. */
  ended?(partition: number): void;
  /** A range that an earlier epoch announced is done again, or of another one rows were found; so many are in the table and are left alone. */
  recovered?(range: ReportRange, storedRows: number): void;
  /** A commit failed and is going to be repeated; of one that hangs nothing is heard. */
  commitRetried?(partition: number): void;
  /** No range is in hand: the partition waits for records, or for its turn. */
  awaits?(partition: number, awaited: Awaited): void;
  /** What an earlier epoch may still be at has to end first, or what became of other partitions' latest records has to be known. */
  waits?(partition: number): void;
  /** The database was asked whether it would take some of the range's rows. */
  probed?(range: ReportRange): void;
  /** While the range's bad records are set aside a request for them has ended, or one that they waited for. */
  partlySetAside?(range: ReportRange): void;
  reached(step: IngestStep, range: ReportRange): Promise<void>;
  setAside(bad: readonly BadRecord[], range: ReportRange): void;
  completed(range: ReportRange, counts: RangeCounts, rowBytes: number): void;
}
