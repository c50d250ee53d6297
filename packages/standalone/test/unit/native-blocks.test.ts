import { describe, expect, it } from "@jest/globals";
import { frameNativeBlocks } from "../../src/sql/native-blocks.js";

/** What the engine answers in FORMAT Native to a query of one column of each kind of type, as base64. */
const PLAIN =
  "DwIBbgZVSW50NjQAAAAAAAAAAAEAAAAAAAAAAXMGU3RyaW5nATABMQJucxBOdWxsYWJsZShTdHJpbmcpAAEBeAF4Am" +
  "FhHkFycmF5KEFycmF5KE51bGxhYmxlKFN0cmluZykpKQIAAAAAAAAABAAAAAAAAAABAAAAAAAAAAEAAAAAAAAAAgAA" +
  "AAAAAAACAAAAAAAAAAAAAWEBYQF0FVR1cGxlKFVJbnQ2NCwgU3RyaW5nKQAAAAAAAAAAAQAAAAAAAAABYgFiAW0TTW" +
  "FwKFN0cmluZywgVUludDY0KQEAAAAAAAAAAgAAAAAAAAABawFrAAAAAAAAAAABAAAAAAAAAAF1BFVVSUTnEbNcBMTw" +
  "YaDb02oApnuQ5xGzXATE8GGg29NqAKZ7kAFkDkRlY2ltYWwoMTgsIDIplgAAAAAAAACWAAAAAAAAAAFlGUVudW04KC" +
  "dhJyA9IDEsICdiKCwnID0gMikBAQJsYxZMb3dDYXJkaW5hbGl0eShTdHJpbmcpAQAAAAAAAAAABgAAAAAAAAIAAAAA" +
  "AAAAAAJsYwIAAAAAAAAAAQEDYWxjF0FycmF5KE51bGxhYmxlKFN0cmluZykpAQAAAAAAAAABAAAAAAAAAAABMAFmDk" +
  "ZpeGVkU3RyaW5nKDMpYWJjYWJjAm50JlR1cGxlKGEgVUludDgsIGBiIGNgIE51bGxhYmxlKFN0cmluZykpAQEAAAF4" +
  "AXgCZHQURGF0ZVRpbWU2NCgzLCAnVVRDJyl79FHCjAEAAHv0UcKMAQAAAXAFUG9pbnQAAAAAAADwPwAAAAAAAPA/AA" +
  "AAAAAAAEAAAAAAAAAAQA==";
/** The same with what is added. clickhouse-go 2.50.0 was seen to read such answers, of 100,000 rows of these kinds. */
const FRAMED =
  "AQAC/////wAPAgFuBlVJbnQ2NAAAAAAAAAAAAAEAAAAAAAAAAXMGU3RyaW5nAAEwATECbnMQTnVsbGFibGUoU3RyaW" +
  "5nKQAAAQF4AXgCYWEeQXJyYXkoQXJyYXkoTnVsbGFibGUoU3RyaW5nKSkpAAIAAAAAAAAABAAAAAAAAAABAAAAAAAA" +
  "AAEAAAAAAAAAAgAAAAAAAAACAAAAAAAAAAAAAWEBYQF0FVR1cGxlKFVJbnQ2NCwgU3RyaW5nKQAAAAAAAAAAAAEAAA" +
  "AAAAAAAWIBYgFtE01hcChTdHJpbmcsIFVJbnQ2NCkAAQAAAAAAAAACAAAAAAAAAAFrAWsAAAAAAAAAAAEAAAAAAAAA" +
  "AXUEVVVJRADnEbNcBMTwYaDb02oApnuQ5xGzXATE8GGg29NqAKZ7kAFkDkRlY2ltYWwoMTgsIDIpAJYAAAAAAAAAlg" +
  "AAAAAAAAABZRlFbnVtOCgnYScgPSAxLCAnYigsJyA9IDIpAAEBAmxjFkxvd0NhcmRpbmFsaXR5KFN0cmluZykAAQAA" +
  "AAAAAAAABgAAAAAAAAIAAAAAAAAAAAJsYwIAAAAAAAAAAQEDYWxjF0FycmF5KE51bGxhYmxlKFN0cmluZykpAAEAAA" +
  "AAAAAAAQAAAAAAAAAAATABZg5GaXhlZFN0cmluZygzKQBhYmNhYmMCbnQmVHVwbGUoYSBVSW50OCwgYGIgY2AgTnVs" +
  "bGFibGUoU3RyaW5nKSkAAQEAAAF4AXgCZHQURGF0ZVRpbWU2NCgzLCAnVVRDJykAe/RRwowBAAB79FHCjAEAAAFwBV" +
  "BvaW50AAAAAAAAAPA/AAAAAAAA8D8AAAAAAAAAQAAAAAAAAABA";

/** A block of one row: the column `n` of type UInt8 with the value 7. */
const ONE = Buffer.from([1, 1, 1, 0x6e, 5, ...Buffer.from("UInt8"), 7]);
const INFO = [1, 0, 2, 0xff, 0xff, 0xff, 0xff, 0];

describe("Native blocks for a client of a protocol version", () => {
  it("get a description before each block and a flag before each column's values", () => {
    const framedOne = [...INFO, ...ONE.subarray(0, -1), 0, 7];

    expect([...frameNativeBlocks(ONE, 54_460)]).toEqual(framedOne);
    expect([...frameNativeBlocks(Buffer.concat([ONE, ONE]), 54_460)]).toEqual([
      ...framedOne,
      ...framedOne,
    ]);
  });

  it("get no flags before the protocol knew them", () => {
    expect([...frameNativeBlocks(ONE, 54_405)]).toEqual([...INFO, ...ONE]);
  });

  it("have a flag also where a column has no values, and none where there is no block", () => {
    const empty = Buffer.from([1, 0, 1, 0x6e, 5, ...Buffer.from("UInt8")]);

    expect([...frameNativeBlocks(empty, 54_460)]).toEqual([...INFO, ...empty, 0]);
    expect(frameNativeBlocks(Buffer.alloc(0), 54_460)).toHaveLength(0);
  });

  it("keep the values of every kind of type", () => {
    expect(frameNativeBlocks(Buffer.from(PLAIN, "base64"), 54_460).toString("base64")).toBe(FRAMED);
  });

  it("are refused for a type that cannot be followed, which is named", () => {
    const block = Buffer.from([1, 1, 1, 0x6a, 4, ...Buffer.from("JSON"), 0, 0]);

    expect(() => frameNativeBlocks(block, 54_460)).toThrow(/Column j of type JSON/);
  });
});
