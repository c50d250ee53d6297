import { describe, expect, it } from "@jest/globals";
import { decodeState, encodeState } from "../../src/log-state.js";

describe("log state", () => {
  const state = { firstOffset: 3, nextOffset: 2 ** 50, bytes: 12_345_678_901 };

  it("is read as it was written", () => {
    expect(decodeState(encodeState(state))).toEqual(state);
  });

  it("is null when damaged or cut", () => {
    const bytes = encodeState(state);
    expect(decodeState(bytes.subarray(0, 20))).toBeNull();
    bytes[7] = 9;
    expect(decodeState(bytes)).toBeNull();
  });
});
