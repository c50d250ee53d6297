import type { SourceRecord, TakeLimits } from "./record-source.js";

/** The most that the way of a record to here, and its insert, may each take of the delay; it waits for the rest in any case. */
const WAY_SHARE = 1 / 4;
const INSERT_SHARE = 1 / 2;

/**
 * When a record has to be taken to be a row in time: the delay begins with its receipt and ends with the insert. Its timestamp is by
 * another clock, which may be wrong, and what a gateway had to spill comes late: such records wait at least a little, so that inserts stay
 * few.
 * @param arrivedAt when it came here, Unix ms.
 */
export function takeBy(
  { timestampMs }: Pick<SourceRecord, "timestampMs">,
  arrivedAt: number,
  { maxDelayMs, insertMs = 0 }: TakeLimits,
): number {
  const wayMs = Math.max(0, Math.min(arrivedAt - timestampMs, maxDelayMs * WAY_SHARE));
  return arrivedAt + maxDelayMs - wayMs - Math.min(insertMs, maxDelayMs * INSERT_SHARE);
}
