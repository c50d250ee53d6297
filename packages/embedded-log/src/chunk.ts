import { crc32 } from "node:zlib";
import type { LogEntry, LogRecord } from "./embedded-log.js";
import { LogError } from "./log-error.js";

/**
 * A chunk is the records of one commit, or a part of them, as one value on disk, big-endian:
 * form (1 byte), checksum of what follows (4), first offset (8), record count (4), then each record:
 * body length (4), time (8), key, value, header count (2), and each header as name length (2), name, value.
 * Key and values are a length (4; -1 for null) and bytes.
 */
const FORM = 1;
const CHECKED_FROM = 5;
const CHUNK_HEAD_BYTES = 17;
const RECORD_HEAD_BYTES = 4 + 8 + 4 + 4 + 2;
const HEADER_HEAD_BYTES = 2 + 4;
const NULL_LENGTH = -1;

/** Bytes that a record takes in a chunk. */
export function recordBytes(record: LogRecord): number {
  let bytes = RECORD_HEAD_BYTES + (record.key?.length ?? 0) + (record.value?.length ?? 0);
  for (const name in record.headers) {
    const value = record.headers[name];
    if (value !== undefined)
      bytes += HEADER_HEAD_BYTES + Buffer.byteLength(name, "utf8") + value.length;
  }
  return bytes;
}

/** Writes records as one chunk. `recordsBytes` is the sum of their {@link recordBytes}. */
export function encodeChunk(
  firstOffset: number,
  records: readonly LogRecord[],
  recordsBytes: number,
): Buffer {
  // Not from the shared pool: the bytes are read by another thread until the commit has ended.
  const chunk = Buffer.allocUnsafeSlow(CHUNK_HEAD_BYTES + recordsBytes);
  chunk[0] = FORM;
  chunk.writeBigUInt64BE(BigInt(firstOffset), CHECKED_FROM);
  chunk.writeUInt32BE(records.length, CHECKED_FROM + 8);
  let at = CHUNK_HEAD_BYTES;
  for (const record of records) at = writeRecord(chunk, at, record);
  chunk.writeUInt32BE(crc32(chunk.subarray(CHECKED_FROM)), 1);
  return chunk;
}

/**
 * The number of records in a chunk that is whole.
 * @throws LogError "log_broken" when the bytes are not those that were written for `firstOffset`.
 */
export function checkChunk(chunk: Buffer, firstOffset: number): number {
  if (
    chunk.length < CHUNK_HEAD_BYTES ||
    chunk[0] !== FORM ||
    chunk.readUInt32BE(1) !== crc32(chunk.subarray(CHECKED_FROM)) ||
    chunk.readBigUInt64BE(CHECKED_FROM) !== BigInt(firstOffset)
  )
    throw new LogError("log_broken", `The log's records from offset ${firstOffset} are damaged`);
  return chunk.readUInt32BE(CHECKED_FROM + 8);
}

/** The chunk's records; their buffers are views of `chunk`. @throws as {@link checkChunk} does. */
export function decodeChunk(chunk: Buffer, firstOffset: number): readonly LogEntry[] {
  const count = checkChunk(chunk, firstOffset);
  const entries: LogEntry[] = [];
  let at = CHUNK_HEAD_BYTES;
  for (let index = 0; index < count; index++) {
    const bodyAt = at + 4;
    entries.push(readRecord(chunk, bodyAt, firstOffset + index));
    at = bodyAt + chunk.readUInt32BE(at);
  }
  return entries;
}

function writeRecord(chunk: Buffer, start: number, record: LogRecord): number {
  let at = start + 4;
  chunk.writeBigInt64BE(BigInt(record.timestampMs), at);
  at = writeBytes(chunk, at + 8, record.key);
  at = writeBytes(chunk, at, record.value);
  const countAt = at;
  let count = 0;
  at += 2;
  for (const name in record.headers) {
    const value = record.headers[name];
    if (value === undefined) continue;
    const nameBytes = chunk.write(name, at + 2, "utf8");
    chunk.writeUInt16BE(nameBytes, at);
    at = writeBytes(chunk, at + 2 + nameBytes, value);
    count += 1;
  }
  chunk.writeUInt16BE(count, countAt);
  chunk.writeUInt32BE(at - start - 4, start);
  return at;
}

function writeBytes(chunk: Buffer, at: number, bytes: Buffer | null): number {
  if (bytes === null) return chunk.writeInt32BE(NULL_LENGTH, at);
  chunk.writeInt32BE(bytes.length, at);
  return at + 4 + bytes.copy(chunk, at + 4);
}

function readRecord(chunk: Buffer, start: number, offset: number): LogEntry {
  const timestampMs = Number(chunk.readBigInt64BE(start));
  const key = readBytes(chunk, start + 8);
  const value = readBytes(chunk, key.end);
  const headers: Record<string, Buffer> = {};
  let at = value.end + 2;
  for (let left = chunk.readUInt16BE(value.end); left > 0; left--) {
    const nameEnd = at + 2 + chunk.readUInt16BE(at);
    const header = readBytes(chunk, nameEnd);
    headers[chunk.toString("utf8", at + 2, nameEnd)] = header.bytes ?? Buffer.alloc(0);
    at = header.end;
  }
  return { offset, timestampMs, key: key.bytes, value: value.bytes, headers };
}

function readBytes(chunk: Buffer, at: number): { bytes: Buffer | null; end: number } {
  const length = chunk.readInt32BE(at);
  const start = at + 4;
  if (length === NULL_LENGTH) return { bytes: null, end: start };
  return { bytes: chunk.subarray(start, start + length), end: start + length };
}
