import { encodeChunk } from "./chunk.js";
import type { LogRecord } from "./embedded-log.js";
import type { StoreChange } from "./lmdb-store.js";
import { encodeState, type LogState } from "./log-state.js";
import { type ChunkKey, encodeChunkKey, markKey, STATE_KEY } from "./store-keys.js";
import type { WaitingMark, WaitingRecord } from "./waiting-changes.js";

/** A chunk is read and checked as a whole, so it stays small. */
const MAX_CHUNK_RECORDS = 1_024;
const MAX_CHUNK_BYTES = 262_144;

/** What a commit is made of. */
export interface CommitParts {
  readonly records: readonly WaitingRecord[];
  readonly marks: readonly WaitingMark[];
  /** The lowest offset that is kept from now on. */
  readonly trimmedTo: number;
  /** Chunks that lie below `trimmedTo`. */
  readonly removed: readonly ChunkKey[];
}

/** The change that takes a log from `state` to the state that is returned with it. */
export function composeCommit(
  state: LogState,
  parts: CommitParts,
): { readonly change: StoreChange; readonly state: LogState } {
  const puts: (readonly [Buffer, Buffer])[] = [];
  let { nextOffset, bytes } = state;
  for (const { records, recordsBytes } of inChunks(parts.records)) {
    const chunk = encodeChunk(nextOffset, records, recordsBytes);
    const key = { firstOffset: nextOffset, count: records.length, bytes: chunk.length };
    puts.push([encodeChunkKey(key), chunk]);
    nextOffset += records.length;
    bytes += chunk.length;
  }
  for (const { name, value } of parts.marks) puts.push([markKey(name), Buffer.from(value, "utf8")]);
  for (const chunk of parts.removed) bytes -= chunk.bytes;
  const next = { firstOffset: parts.trimmedTo, nextOffset, bytes };
  puts.push([STATE_KEY, encodeState(next)]);
  const removes = parts.removed.map(encodeChunkKey);
  return { change: { puts, removes, addsRecords: parts.records.length > 0 }, state: next };
}

function inChunks(
  waiting: readonly WaitingRecord[],
): readonly { readonly records: LogRecord[]; recordsBytes: number }[] {
  const chunks: { readonly records: LogRecord[]; recordsBytes: number }[] = [];
  let current = { records: [] as LogRecord[], recordsBytes: 0 };
  for (const { record, bytes } of waiting) {
    const isFull =
      current.records.length === MAX_CHUNK_RECORDS ||
      current.recordsBytes + bytes > MAX_CHUNK_BYTES;
    if (chunks.length === 0 || isFull) {
      current = { records: [], recordsBytes: 0 };
      chunks.push(current);
    }
    current.records.push(record);
    current.recordsBytes += bytes;
  }
  return chunks;
}
