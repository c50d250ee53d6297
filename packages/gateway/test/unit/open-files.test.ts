import { describe, expect, it } from "@jest/globals";
import { connectionsWithin, filesFor, openFilesLimit } from "../../src/server/open-files.js";

describe("the limit of open files", () => {
  it("leaves as many connections as configured where there are files for them, or where it is not known", () => {
    expect(connectionsWithin(10_000, filesFor(10_000))).toBe(10_000);
    expect(connectionsWithin(10_000, null)).toBe(10_000);
  });

  it("lowers them to what there are files for, and never to none", () => {
    for (const files of [600, 1_024, filesFor(10_000) - 1]) {
      const connections = connectionsWithin(10_000, files);
      expect(filesFor(connections)).toBeLessThanOrEqual(files);
      expect(filesFor(connections + 1)).toBeGreaterThan(files);
    }
    expect(connectionsWithin(10_000, 10)).toBe(1);
  });

  it("is a number, or not known on a system that does not say", () => {
    expect(openFilesLimit() ?? 1).toBeGreaterThan(0);
  });
});
