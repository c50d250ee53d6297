import { describe, expect, it } from "@jest/globals";
import { canonicalTarget } from "../../src/canonical-path.js";

describe("the canonical target", () => {
  it.each([
    ["/a/b?c=%zz", "/a/b?c=%zz"],
    ["/%61/b%2Dc?x=%61", "/a/b-c?x=%61"],
    ["/a%2Fb/c", "/a%2Fb/c"],
    ["/%E0%A4%A/c", "/%25E0%25A4%25A/c"],
    ["//events", "//events"],
    ["http://x/a?b", "/a?b"],
    ["HTTPS://u:p@[::1/a/%62", "/a/b"],
    ["x+y://h:b?c", "/?c"],
    ["http://x", "/"],
    ["*", "*"],
    ["/a#/%62?c", "/a"],
  ])("of %s is %s", (target, canonical) => {
    expect(canonicalTarget(target)).toBe(canonical);
  });
});
