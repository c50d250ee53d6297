/** What a chunk's key says, so that trimming and checking need not read the chunk. */
export interface ChunkKey {
  readonly firstOffset: number;
  /** Records in the chunk. */
  readonly count: number;
  /** The chunk's length. */
  readonly bytes: number;
}

const MARK_KIND = 2;
const CHUNK_KIND = 16;
const CHUNK_KEY_BYTES = 17;
const HIGHEST = 0xffffffff;

/** Where the log's state is kept. Sorts first. */
export const STATE_KEY = Buffer.from([1]);
/** All keys of chunks lie from here to {@link CHUNKS_END}. They sort last, so that appending splits no page in half. */
export const CHUNKS_START = Buffer.from([CHUNK_KIND]);
export const CHUNKS_END = Buffer.from([CHUNK_KIND + 1]);

/** Where a mark is kept. */
export function markKey(name: string): Buffer {
  return Buffer.concat([Buffer.from([MARK_KIND]), Buffer.from(name, "utf8")]);
}

/** A chunk's key: keys sort by first offset. */
export function encodeChunkKey(chunk: ChunkKey): Buffer {
  const key = Buffer.allocUnsafeSlow(CHUNK_KEY_BYTES);
  key[0] = CHUNK_KIND;
  key.writeBigUInt64BE(BigInt(chunk.firstOffset), 1);
  key.writeUInt32BE(chunk.count, 9);
  key.writeUInt32BE(chunk.bytes, 13);
  return key;
}

/** Reads a chunk's key; null when it is none. */
export function decodeChunkKey(key: Buffer): ChunkKey | null {
  if (key.length !== CHUNK_KEY_BYTES || key[0] !== CHUNK_KIND) return null;
  return {
    firstOffset: Number(key.readBigUInt64BE(1)),
    count: key.readUInt32BE(9),
    bytes: key.readUInt32BE(13),
  };
}

/** The highest key that a chunk which begins at `offset` or earlier can have. */
export function highestKeyUpTo(offset: number): Buffer {
  return encodeChunkKey({ firstOffset: offset, count: HIGHEST, bytes: HIGHEST });
}
