import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { decodeChunk, encodeChunk, recordBytes } from "../../src/chunk.js";

const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
const name = fc.string({ maxLength: 20, unit: "grapheme" }).filter((text) => text !== "__proto__");
const record = fc.record({
  key: fc.option(bytes),
  value: fc.option(bytes),
  headers: fc.dictionary(name, bytes, { maxKeys: 5, noNullPrototype: true }),
  timestampMs: fc.integer({ min: 0, max: 8.64e15 }),
});
const sum = (records: readonly Parameters<typeof recordBytes>[0][]) =>
  records.reduce((total, each) => total + recordBytes(each), 0);

describe("chunk", () => {
  it("gives back every record as it was written, with its offset", () => {
    fc.assert(
      fc.property(
        fc.array(record, { minLength: 1, maxLength: 20 }),
        fc.maxSafeNat(),
        (records, firstOffset) => {
          const chunk = encodeChunk(firstOffset, records, sum(records));
          expect(decodeChunk(chunk, firstOffset)).toEqual(
            records.map((each, index) => ({ ...each, offset: firstOffset + index })),
          );
        },
      ),
    );
  });

  it("leaves out headers without a value", () => {
    const records = [
      { key: null, value: null, timestampMs: 1, headers: { a: undefined, b: Buffer.from("2") } },
    ];
    const chunk = encodeChunk(5, records, sum(records));
    expect(decodeChunk(chunk, 5)[0]?.headers).toEqual({ b: Buffer.from("2") });
  });

  it("recognises any changed byte", () => {
    const records = [
      { key: Buffer.from("k"), value: Buffer.from("v"), headers: {}, timestampMs: 7 },
    ];
    const chunk = encodeChunk(5, records, sum(records));
    for (let at = 0; at < chunk.length; at++) {
      const damaged = Buffer.from(chunk);
      damaged.writeUInt8(damaged.readUInt8(at) ^ 0x10, at);
      expect(() => decodeChunk(damaged, 5)).toThrow(
        expect.objectContaining({ code: "log_broken" }),
      );
    }
  });

  it("recognises a chunk that was written for another place", () => {
    const records = [{ key: null, value: null, headers: {}, timestampMs: 7 }];
    expect(() => decodeChunk(encodeChunk(5, records, sum(records)), 6)).toThrow(/damaged/);
  });
});
