import { crc32 } from "node:zlib";

/** Where the log stands; written in the same transaction as what changed it. */
export interface LogState {
  /** The lowest offset that was not trimmed. */
  readonly firstOffset: number;
  /** The offset of the next record. Never falls. */
  readonly nextOffset: number;
  /** Sum of the chunks' lengths. */
  readonly bytes: number;
}

/** A log that never held a record. */
export const EMPTY_STATE: LogState = { firstOffset: 0, nextOffset: 0, bytes: 0 };

const STATE_BYTES = 28;

/** Big-endian: first offset (8), next offset (8), bytes (8), checksum of these (4). */
export function encodeState(state: LogState): Buffer {
  const bytes = Buffer.allocUnsafeSlow(STATE_BYTES);
  bytes.writeBigUInt64BE(BigInt(state.firstOffset), 0);
  bytes.writeBigUInt64BE(BigInt(state.nextOffset), 8);
  bytes.writeBigUInt64BE(BigInt(state.bytes), 16);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 24)), 24);
  return bytes;
}

/** Reads what {@link encodeState} wrote; null when it is anything else. */
export function decodeState(bytes: Buffer): LogState | null {
  if (bytes.length !== STATE_BYTES) return null;
  if (bytes.readUInt32BE(24) !== crc32(bytes.subarray(0, 24))) return null;
  return {
    firstOffset: Number(bytes.readBigUInt64BE(0)),
    nextOffset: Number(bytes.readBigUInt64BE(8)),
    bytes: Number(bytes.readBigUInt64BE(16)),
  };
}
