import { describe, expect, it } from "@jest/globals";
import { DrainRate } from "../../src/publish/drain-rate.js";

describe("the pace at which records leave", () => {
  it("is the better of the two seconds before", () => {
    const rate = new DrainRate();
    rate.left(300, 10_100);
    rate.left(200, 10_900);
    rate.left(4_000, 11_500);
    expect(rate.waitMs(1_000, 11_999)).toBe(0);
    expect(rate.waitMs(1_000, 12_000)).toBe(250);
    rate.left(100, 12_500);
    expect(rate.waitMs(1_000, 13_000)).toBe(250);
    rate.left(100, 13_500);
    expect(rate.waitMs(1_000, 14_000)).toBe(10_000);
  });

  it("is not known during and just after a standstill", () => {
    const rate = new DrainRate();
    for (const at of [10_000, 11_000, 12_000]) rate.left(500, at);
    expect(rate.waitMs(1_000, 13_000)).toBe(2_000);
    expect(rate.waitMs(1_000, 14_000)).toBe(0);
    rate.left(10, 20_900);
    expect(rate.waitMs(1_000, 21_000)).toBe(0);
    rate.left(500, 21_500);
    expect(rate.waitMs(1_000, 22_000)).toBe(2_000);
  });
});
