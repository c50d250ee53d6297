import { describe, expect, it } from "@jest/globals";
import { readOptions } from "../../src/options.js";

const CASES = ["gateway", "consumer"];

describe("The arguments of the bench", () => {
  it("run every case three times when there are none", () => {
    expect(readOptions([], CASES)).toEqual({
      isCheck: false,
      isLong: false,
      only: null,
      rounds: 3,
      windowSecs: 8,
    });
  });

  it("are read in any order", () => {
    expect(
      readOptions(["--only", "consumer,gateway", "--check", "--rounds", "5"], CASES),
    ).toMatchObject({ isCheck: true, only: ["consumer", "gateway"], rounds: 5 });
  });

  it.each([
    [["--only", "gateways"], "There is no case gateways. Cases: gateway, consumer"],
    [["--rounds", "0"], "--rounds needs a whole number from 1"],
    [["--window"], "--window needs a whole number from 1"],
    [["--chekc"], "There is no argument --chekc"],
  ])("%j are refused", (args, sentence) => {
    expect(readOptions(args, CASES)).toBe(sentence);
  });
});
