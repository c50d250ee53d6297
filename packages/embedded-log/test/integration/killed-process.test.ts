import { mkdir, mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { checkEmbeddedLog, openEmbeddedLog } from "../../src/index.js";
import { readAll } from "../support/records.js";
import { Fixture } from "../support/run-fixture.js";
import { withTemporaryFolder } from "../support/temporary-folder.js";

const MAX_BYTES = 1_000_000_000;

describe("embedded log of a killed process", () => {
  it("holds every acknowledged record exactly once, at its offset, in order", () =>
    withTemporaryFolder(async (path) => {
      let acknowledged: readonly string[] = [];
      for (let round = 0; round < 3; round++) {
        const writer = Fixture.start("append-forever.mjs", [path]);
        const before = await writer.lines(2_000 + 500 * round);
        await writer.kill();
        acknowledged = [...acknowledged, ...before, ...(await writer.lines())];
      }
      const log = await openEmbeddedLog({ path, maxBytes: MAX_BYTES });
      const entries = readAll(log);
      expect(entries.map(({ offset }) => offset)).toEqual(entries.map((_, index) => index));
      const numbers = new Map(entries.map((entry) => [entry.offset, entry.timestampMs]));
      expect(acknowledged.length).toBeGreaterThan(7_000);
      const wrong = acknowledged.filter((line) => {
        const [offset, number] = line.split(" ").map(Number);
        return numbers.get(offset ?? -1) !== number;
      });
      expect(wrong).toEqual([]);
      expect(new Set(acknowledged.map((line) => line.split(" ")[0])).size).toBe(
        acknowledged.length,
      );
      await log.close();
    }));

  it.each([
    ["in a folder with a short path", ""],
    ["in one whose path is too long for a local socket", "a-folder-whose-name-is-long/".repeat(5)],
  ])("can be opened at once, but by nobody while the process lives, %s", (_where, below) =>
    withTemporaryFolder(async (folder) => {
      const path = join(folder, below, "log");
      await mkdir(path, { recursive: true });
      // Two processes on one machine need not have one folder for temporary files.
      const temporary = await mkdtemp(join(folder, "t"));
      const writer = Fixture.start("append-forever.mjs", [path], ["env", `TMPDIR=${temporary}`]);
      await writer.nextLine();
      await expect(checkEmbeddedLog({ path, maxBytes: MAX_BYTES })).rejects.toMatchObject({
        code: "log_locked",
      });
      await expect(openEmbeddedLog({ path, maxBytes: MAX_BYTES })).rejects.toMatchObject({
        code: "log_locked",
      });
      await writer.kill();
      const log = await openEmbeddedLog({ path, maxBytes: MAX_BYTES });
      await expect(openEmbeddedLog({ path, maxBytes: MAX_BYTES })).rejects.toMatchObject({
        code: "log_locked",
      });
      await log.close();
    }),
  );
});
