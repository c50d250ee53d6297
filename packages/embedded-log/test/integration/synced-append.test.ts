import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { Fixture } from "../support/run-fixture.js";
import { withTemporaryFolder } from "../support/temporary-folder.js";

const CALLS = "openat,write,writev,pwrite64,pwritev,fdatasync,fsync,msync";

/** strace may be installed and still not be allowed to trace. */
const canTrace = spawnSync("strace", ["-o", "/dev/null", "true"]).status === 0;
if (!canTrace)
  process.stderr.write(
    "SKIPPED: no strace here, so it was not verified that an append is on the disk before it resolves\n",
  );

describe("embedded log's append", () => {
  (canTrace ? it : it.skip)(
    "has synced the record and what makes it valid before it resolves",
    () =>
      withTemporaryFolder(async (folder) => {
        const trace = join(folder, "trace");
        const strace = ["strace", "-f", "-y", "-s", "4096", "-e", `trace=${CALLS}`, "-o", trace];
        const appender = Fixture.start("append-once.mjs", [join(folder, "log")], strace);
        expect(await appender.end()).toBe(0);
        const lines = (await readFile(trace, "utf8")).split("\n");
        const find = (from: number, pattern: RegExp) =>
          lines.findIndex((line, index) => index > from && pattern.test(line));
        const begin = find(-1, /APPENDING/);
        const record = find(begin, /(pwrite64|writev)\(.*data\.mdb.*traced-record/);
        const sync = find(record, /fdatasync\(.*data\.mdb.*= 0|fdatasync resumed.*= 0/);
        // LMDB's second description of its file makes the transaction valid; its descriptor is opened with O_DSYNC.
        const valid = find(sync, /pwrite64\(\d+<[^>]*data\.mdb>.*, 128, \d+\) = 128/);
        const acknowledged = find(begin, /ACKNOWLEDGED/);
        expect(begin).toBeGreaterThan(0);
        expect([record, sync, valid, acknowledged]).toEqual(
          [record, sync, valid, acknowledged].toSorted((a, b) => a - b),
        );
        expect(record).toBeGreaterThan(begin);
        expect(sync).toBeGreaterThan(record);
        expect(valid).toBeGreaterThan(sync);
        const descriptor = /pwrite64\((\d+)</.exec(lines[valid] ?? "")?.[1];
        expect(
          lines.some((line) => line.includes("O_DSYNC") && line.includes(`= ${descriptor}<`)),
        ).toBe(true);
      }),
  );
});
