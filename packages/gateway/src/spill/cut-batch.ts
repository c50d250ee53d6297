import type { SentTo } from "../report-publisher.js";
import type { SpilledRecord } from "./spilled-record.js";

/** The records that can go next, in one batch. */
export interface CutBatch {
  readonly records: readonly SpilledRecord[];
  /** Where they have to go when they were sent before, and under what. */
  readonly sentTo: SentTo | null;
}

/**
 * Takes the records from the front that can share a batch: those that were sent nowhere yet, or those that the same producer sent to the same
 * partition. Such a batch goes under the identity of its first record, which is no other record's, so that no two batches share one.
 * @param records at least one.
 */
export function cutBatch(records: readonly SpilledRecord[]): CutBatch {
  const sentTo = records[0]?.sentTo ?? null;
  const end = records.findIndex((record) => !isAlike(record.sentTo, sentTo));
  return { records: end === -1 ? records : records.slice(0, end), sentTo };
}

/** First and last offset of the records of a batch. */
export function boundsOf(records: readonly SpilledRecord[]): {
  readonly first: number;
  readonly last: number;
} {
  return { first: records[0]?.offset ?? 0, last: records.at(-1)?.offset ?? 0 };
}

function isAlike(a: SentTo | null, b: SentTo | null): boolean {
  if (a === null || b === null) return a === b;
  return a.partition === b.partition && a.resendAs.producerId === b.resendAs.producerId;
}
