import {
  copyFile,
  cp,
  mkdir,
  open,
  readFile,
  rm,
  stat,
  truncate,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { open as openLmdb } from "lmdb";
import { checkEmbeddedLog, isDamage, type LogError, openEmbeddedLog } from "../../src/index.js";
import { aRecord } from "../support/records.js";
import { Fixture } from "../support/run-fixture.js";
import { withTemporaryFolder } from "../support/temporary-folder.js";

const RECORDS = 2_000;

async function makeLog(path: string): Promise<void> {
  const log = await openEmbeddedLog({ path, maxBytes: 100_000_000 });
  for (let batch = 0; batch < 20; batch++) {
    await Promise.all(
      Array.from({ length: RECORDS / 20 }, () => log.append(aRecord("x".repeat(500)))),
    );
  }
  await log.close();
}

/** Opens in a process of its own, since what is tested is that none is ended by LMDB. */
async function openElsewhere(
  path: string,
): Promise<{ readonly code: string; readonly exit: unknown }> {
  const opener = Fixture.start("open-and-read.mjs", [path]);
  const [line = "no output"] = await opener.lines();
  return { code: line, exit: await opener.end() };
}

describe("embedded log with damaged files", () => {
  it("says log_broken for a truncated file, wherever it was cut", () =>
    withTemporaryFolder(async (folder) => {
      const whole = join(folder, "whole");
      await makeLog(whole);
      const cuts = [0, 1, 100, 4_096, 4_097, 8_191, 8_192, 20_000, 500_000];
      for (const bytes of cuts) {
        const cut = join(folder, `cut-${bytes}`);
        await cp(whole, cut, { recursive: true, filter: (path) => !path.includes("lock") });
        await truncate(join(cut, "data.mdb"), bytes);
        expect([bytes, await openElsewhere(cut)]).toEqual([bytes, { code: "log_broken", exit: 0 }]);
      }
    }));

  it("says log_broken when its data file is another file, or gone", () =>
    withTemporaryFolder(async (folder) => {
      const path = join(folder, "log");
      await makeLog(path);
      await writeFile(join(path, "data.mdb"), "y".repeat(50_000));
      expect(await openElsewhere(path)).toEqual({ code: "log_broken", exit: 0 });
      await copyFile("/dev/null", join(path, "data.mdb"));
      expect(await openElsewhere(path)).toEqual({ code: "log_broken", exit: 0 });
      await rm(join(path, "data.mdb"));
      expect(await openElsewhere(path)).toEqual({ code: "log_broken", exit: 0 });
      const options = { path, maxBytes: 100_000_000 };
      const failure = await openEmbeddedLog(options).catch((error: unknown) => error);
      expect(isDamage(failure as LogError)).toBe(true);
    }));

  it("keeps every record when its format file is gone", () =>
    withTemporaryFolder(async (path) => {
      await makeLog(path);
      await rm(join(path, "format"));
      await checkEmbeddedLog({ path, maxBytes: 100_000_000 });
      expect(await openElsewhere(path)).toEqual({ code: `${RECORDS} records`, exit: 0 });
    }));

  it("keeps the data file and says log_broken when it is damaged and its format file is gone", () =>
    withTemporaryFolder(async (folder) => {
      const whole = join(folder, "whole");
      await makeLog(whole);
      await rm(join(whole, "format"));
      const { size } = await stat(join(whole, "data.mdb"));
      for (const damage of ["cut", "headless", "zeros", "no tree"] as const) {
        const torn = join(folder, damage.replace(" ", "-"));
        await cp(whole, torn, { recursive: true, filter: (path) => !path.includes("lock") });
        const file = await open(join(torn, "data.mdb"), "r+");
        if (damage === "cut") await file.truncate(500_000);
        if (damage === "headless") await file.write(Buffer.alloc(8_192, 0x5a), 0, 8_192, 0);
        if (damage === "zeros") await file.write(Buffer.alloc(size), 0, size, 0);
        if (damage === "no tree") await file.write(Buffer.alloc(size - 8_192), 0, null, 8_192);
        await file.close();
        const kept = await readFile(join(torn, "data.mdb"));
        const failure = await checkEmbeddedLog({ path: torn, maxBytes: 100_000_000 }).catch(
          (error: unknown) => error,
        );
        expect([damage, failure]).toEqual([
          damage,
          expect.objectContaining({ code: "log_broken" }),
        ]);
        expect(isDamage(failure as LogError)).toBe(true);
        const left = await readFile(join(torn, "data.mdb"));
        expect(left.subarray(0, kept.length).equals(kept)).toBe(true);
      }
    }));

  it("makes a log where the making of one was cut short", () =>
    withTemporaryFolder(async (folder) => {
      const made = join(folder, "made");
      const database = openLmdb({ path: made, noSubdir: false });
      await database.close();
      const leftBehind = { empty: Buffer.alloc(0), zeros: Buffer.alloc(8_192) };
      for (const [name, bytes] of Object.entries(leftBehind)) {
        await mkdir(join(folder, name));
        await writeFile(join(folder, name, "data.mdb"), bytes);
      }
      for (const name of ["made", ...Object.keys(leftBehind)]) {
        const path = join(folder, name);
        expect([name, await openElsewhere(path)]).toEqual([name, { code: "0 records", exit: 0 }]);
        expect(await openElsewhere(path)).toEqual({ code: "0 records", exit: 0 });
      }
    }));

  it("says log_broken or reads every record right when any page is overwritten", () =>
    withTemporaryFolder(async (folder) => {
      const whole = join(folder, "whole");
      await makeLog(whole);
      const { size } = await stat(join(whole, "data.mdb"));
      const outcomes = new Set<string>();
      for (let page = 0; page < 12; page++) {
        const torn = join(folder, `torn-${page}`);
        await cp(whole, torn, { recursive: true, filter: (path) => !path.includes("lock") });
        const file = await open(join(torn, "data.mdb"), "r+");
        const at = page < 8 ? page * 4_096 : Math.floor(((page - 7) * size) / 40_960) * 4_096;
        await file.write(Buffer.alloc(2_048, 0x5a), 0, 2_048, at + 1_024);
        await file.close();
        const { code, exit } = await openElsewhere(torn);
        expect([page, exit]).toEqual([page, 0]);
        outcomes.add(code);
      }
      expect([...outcomes].toSorted((a, b) => a.localeCompare(b))).toEqual([
        `${RECORDS} records`,
        "log_broken",
      ]);
    }));

  it("survives a check of files that LMDB does not, and says log_broken", () =>
    withTemporaryFolder(async (path) => {
      await makeLog(path);
      await checkEmbeddedLog({ path, maxBytes: 100_000_000 });
      const file = await open(join(path, "data.mdb"), "r+");
      const { size } = await file.stat();
      await file.write(Buffer.alloc(size - 8_192, 0x5a), 0, undefined, 8_192);
      await file.close();
      const failure = await checkEmbeddedLog({ path, maxBytes: 100_000_000 }).catch(
        (error: unknown) => error,
      );
      expect(failure).toMatchObject({ code: "log_broken" });
      expect(isDamage(failure as LogError)).toBe(true);
    }));

  it("refuses records on a full disk, still takes marks and trims, and goes on where there is space", () =>
    withTemporaryFolder(async (path) => {
      const limited = Fixture.start(
        "append-on-full-disk.mjs",
        [path],
        ["bash", "-c", 'ulimit -S -f 20000; exec "$@"', "limited"],
      );
      const full = JSON.parse((await limited.nextLine()) ?? "{}");
      expect(full).toMatchObject({
        appended: new Array(3).fill("log_broken, left nothing"),
        isHealthy: false,
        marked: "done",
        trimmed: "done",
      });
      expect(full.retained).toBe(full.acknowledged);
      expect(await limited.end()).toBe(0);
      const log = await openEmbeddedLog({ path, maxBytes: 100_000_000 });
      expect([log.firstOffset, log.nextOffset, log.mark("m")]).toEqual([
        full.retained - 1,
        full.retained,
        "1",
      ]);
      expect(await log.append(aRecord("with space"))).toBe(full.retained);
      await log.close();
    }));
});
