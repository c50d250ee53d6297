import { describe, expect, it } from "@jest/globals";
import { canonicalTarget } from "../../src/canonical-path.js";

describe("the canonical target", () => {
  it.each([
    ["/a/b?c=%zz", "/a/b?c=%zz"],
    ["/%61/b%2Dc?x=%61", "/a/b-c?x=%61"],
    ["/a%2Fb/c", "/a%2Fb/c"],
    ["/%E0%A4%A/c", "/%25E0%25A4%25A/c"],
    ["//events", "//events"],
  ])("of %s is %s", (target, canonical) => {
    expect(canonicalTarget(target)).toBe(canonical);
  });
});
