import { type EmbeddedLog, LogError } from "@push-reports/embedded-log";
import { DRAIN_MARK, type DrainMark, decodeDrainMark, type OpenBatch } from "./drain-mark.js";
import { decodeSpilled, type SpilledRecord } from "./spilled-record.js";

/**
 * Where a drain goes on. After a commit that failed, the log in memory may be trimmed further than its mark says.
 * @throws LogError for what no version of this wrote: nothing may be sent on a guess.
 */
export function readMark(log: EmbeddedLog): DrainMark {
  const { firstOffset, nextOffset } = log;
  const text = log.mark(DRAIN_MARK);
  if (text === null) return { cursor: firstOffset, open: [] };
  const mark = decodeDrainMark(text);
  if (mark === null || mark.cursor > nextOffset)
    throw new LogError("log_broken", "The spill's mark of how far it was drained is unreadable");
  return {
    cursor: Math.max(mark.cursor, firstOffset),
    open: mark.open.filter(({ last }) => last >= firstOffset),
  };
}

/** The records of a batch that is open. @throws LogError when one is missing. */
export function readRecords(
  log: EmbeddedLog,
  { first, last }: OpenBatch,
): readonly SpilledRecord[] {
  const maxRecords = last - first + 1;
  const entries = log.read(first, { maxRecords, maxBytes: Number.MAX_SAFE_INTEGER });
  if (entries[0]?.offset !== first || entries.length !== maxRecords)
    throw new LogError("log_broken", `The spill lacks records from ${first} to ${last}`);
  return entries.map(decodeSpilled);
}
