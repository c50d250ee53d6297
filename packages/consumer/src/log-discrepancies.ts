import { type Discrepancy, discrepancy } from "./discrepancy.js";
import type { PartitionPosition } from "./record-source.js";

/** Where a partition's log, its group and its ledger stand. */
export interface LogAndLedger extends PartitionPosition {
  readonly partition: number;
  /** The first offset that any range covers; null when there is no range. */
  readonly begin: number | null;
  /** One past the last offset that any range covers; null when there is no range. */
  readonly end: number | null;
  /** From this offset on the ledger must have every range: what lies before may have expired. Infinity when nothing is known. */
  readonly unexpiredFrom: number;
}

/** What the log and the group's offset say against the ledger's first and last range of a partition. */
export function logDiscrepancies(log: LogAndLedger): readonly Discrepancy[] {
  const { partition, begin, committedOffset, lowWatermark, highWatermark, unexpiredFrom } = log;
  const first = begin ?? committedOffset ?? 0;
  const before = unexpiredFrom < first ? [{ first: unexpiredFrom, last: first - 1 }] : [];
  const end = log.end ?? first;
  const skipped =
    committedOffset !== null && committedOffset > end
      ? [{ first: end, last: committedOffset - 1 }]
      : [];
  const read = Math.max(end, committedOffset ?? 0);
  const lost =
    log.end !== null && lowWatermark > read ? [{ first: read, last: lowWatermark - 1 }] : [];
  const early = end > highWatermark ? [{ first: highWatermark, last: end - 1 }] : [];
  const named = (
    kind: Discrepancy["kind"],
    stretches: readonly { readonly first: number; readonly last: number }[],
    detail: string,
  ) => stretches.map((stretch) => discrepancy(kind, { partition, ...stretch }, detail));
  return [
    ...named("gap", [...before, ...skipped], UNCOVERED),
    ...named(
      "absent",
      lost,
      "these are gone from the log, and no consumer has read or booked them",
    ),
    ...named("log_ends_early", early, "the log ends before what was read"),
  ];
}

/** What is wrong with a gap. */
export const UNCOVERED = "no range covers these, though the group is past them";

/** Records that no complete range covers yet. */
export function waitingOf(log: LogAndLedger): number {
  const { end, committedOffset, lowWatermark, highWatermark } = log;
  const next = Math.max(end ?? committedOffset ?? 0, lowWatermark);
  return Math.max(0, highWatermark - next);
}
