import { NativeCursor, passColumn } from "./native-columns.js";

/** From this version of ClickHouse's protocol on, each column says whether it is written in an unusual way. */
const WITH_SERIALIZATION = 54_454;
/** Not an overflow block, no bucket: fields 1 and 2 of a block's description, and its end. */
const BLOCK_INFO = Buffer.from([1, 0, 2, 0xff, 0xff, 0xff, 0xff, 0]);
const USUAL = Buffer.from([0]);

/**
 * Turns Native blocks as the engine writes them into what a client expects that named its version of the protocol, as
 * clickhouse-go does, and with it Grafana's ClickHouse source: a description before each block, and a flag before each column's
 * values. The values stay as they are.
 * @throws SqlFault "NOT_IMPLEMENTED" naming a column whose type cannot be followed.
 */
export function frameNativeBlocks(bytes: Buffer, protocolVersion: number): Buffer {
  const cursor = new NativeCursor(bytes);
  const parts: Buffer[] = [];
  while (!cursor.isAtEnd()) {
    parts.push(BLOCK_INFO);
    const start = cursor.at;
    const columns = cursor.integer();
    const rows = cursor.integer();
    parts.push(bytes.subarray(start, cursor.at));
    for (let column = 0; column < columns; column += 1) {
      const nameAt = cursor.at;
      const name = cursor.text();
      const type = cursor.text();
      parts.push(bytes.subarray(nameAt, cursor.at));
      if (protocolVersion >= WITH_SERIALIZATION) parts.push(USUAL);
      const valuesAt = cursor.at;
      if (rows > 0) passColumn(cursor, name, type, rows);
      parts.push(bytes.subarray(valuesAt, cursor.at));
    }
  }
  return Buffer.concat(parts);
}
