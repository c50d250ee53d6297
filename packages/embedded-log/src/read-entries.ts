import { decodeChunk } from "./chunk.js";
import type { LogEntry, ReadLimits } from "./embedded-log.js";
import type { LmdbStore } from "./lmdb-store.js";
import { LogError } from "./log-error.js";
import { CHUNKS_START, decodeChunkKey, highestKeyUpTo } from "./store-keys.js";

/** The stretch of the log that may be read: `from` to before `end`. */
export interface Stretch {
  readonly from: number;
  readonly end: number;
}

/** Reads entries in order until a limit or the stretch's end. @throws LogError "log_broken" */
export function readEntries(
  store: LmdbStore,
  { from, end }: Stretch,
  limits: ReadLimits,
): readonly LogEntry[] {
  const taken: LogEntry[] = [];
  let bytes = 0;
  let next = from;
  while (next < end) {
    for (const entry of readChunk(store, next)) {
      if (entry.offset < next) continue;
      bytes += entryBytes(entry);
      if (taken.length > 0 && bytes > limits.maxBytes) return taken;
      taken.push(entry);
      if (taken.length >= limits.maxRecords) return taken;
    }
    next = (taken.at(-1)?.offset ?? end) + 1;
  }
  return taken;
}

/** The chunk that holds `offset`. */
function readChunk(store: LmdbStore, offset: number): readonly LogEntry[] {
  const key = store.lastKey(highestKeyUpTo(offset), CHUNKS_START);
  const chunk = key ? decodeChunkKey(key) : null;
  const value = key ? store.get(key) : null;
  if (chunk === null || value === null || offset >= chunk.firstOffset + chunk.count)
    throw new LogError("log_broken", `The log's record at offset ${offset} is missing`);
  return decodeChunk(value, chunk.firstOffset);
}

function entryBytes(entry: LogEntry): number {
  let bytes = (entry.key?.length ?? 0) + (entry.value?.length ?? 0);
  for (const name in entry.headers) bytes += name.length + (entry.headers[name]?.length ?? 0);
  return bytes;
}
