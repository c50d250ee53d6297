import { describe, expect, it } from "@jest/globals";
import { openEmbeddedLog } from "../../src/index.js";
import { aRecord, readAll, textsOf } from "../support/records.js";
import { withTemporaryFolder } from "../support/temporary-folder.js";

const MAX_BYTES = 10_000_000;
const everything = { maxRecords: 1_000_000, maxBytes: 100_000_000 };

const open = (path: string, maxBytes = MAX_BYTES) => openEmbeddedLog({ path, maxBytes });

describe("embedded log", () => {
  it("gives concurrent appends contiguous offsets in the order of the calls", () =>
    withTemporaryFolder(async (path) => {
      const log = await open(path);
      const texts = Array.from({ length: 3_000 }, (_, index) => `record ${index}`);
      const offsets = await Promise.all(texts.map((text) => log.append(aRecord(text))));
      expect(offsets).toEqual(texts.map((_, index) => index));
      expect(textsOf(log.read(0, everything))).toEqual(texts);
      expect(textsOf(readAll(log))).toEqual(texts);
      await log.close();
    }));

  it("keeps records whole: nulls, headers, time", () =>
    withTemporaryFolder(async (path) => {
      const log = await open(path);
      const record = {
        key: null,
        value: null,
        headers: { a: Buffer.from([0, 255]) },
        timestampMs: 5,
      };
      await log.append(record);
      expect(log.read(0, everything)).toEqual([{ ...record, offset: 0 }]);
      await log.close();
    }));

  it("reads no more than asked for, but always one record", () =>
    withTemporaryFolder(async (path) => {
      const log = await open(path);
      await Promise.all(Array.from({ length: 10 }, () => log.append(aRecord("x".repeat(100)))));
      expect(log.read(2, { maxRecords: 3, maxBytes: 10_000 }).map((entry) => entry.offset)).toEqual(
        [2, 3, 4],
      );
      expect(log.read(0, { maxRecords: 10, maxBytes: 250 })).toHaveLength(2);
      expect(log.read(0, { maxRecords: 10, maxBytes: 1 })).toHaveLength(1);
      expect(log.read(10, everything)).toEqual([]);
      await log.close();
    }));

  it("forgets trimmed records at once, in the middle of a commit too, and frees their bytes", () =>
    withTemporaryFolder(async (path) => {
      const log = await open(path);
      await Promise.all(Array.from({ length: 10 }, (_, index) => log.append(aRecord(`${index}`))));
      await Promise.all(Array.from({ length: 10 }, (_, index) => log.append(aRecord(`${index}`))));
      const before = log.bytes;
      const trimmed = log.trim(15);
      expect(log.firstOffset).toBe(15);
      expect(log.read(0, everything)[0]?.offset).toBe(15);
      await trimmed;
      expect(log.bytes).toBeLessThan(before);
      await log.trim(20);
      expect(log.bytes).toBe(0);
      expect(log.firstOffset).toBe(log.nextOffset);
      await log.close();
    }));

  it("removes many chunks in several transactions while appends go on", () =>
    withTemporaryFolder(async (path) => {
      const log = await open(path);
      for (let index = 0; index < 600; index++) await log.append(aRecord(`${index}`));
      const trimmed = log.trim(600);
      await log.append(aRecord("meanwhile"));
      await trimmed;
      expect(textsOf(readAll(log))).toEqual(["meanwhile"]);
      await log.close();
      const again = await open(path);
      expect(textsOf(readAll(again))).toEqual(["meanwhile"]);
      await again.close();
    }));

  it("never uses an offset twice, also after everything was trimmed and the log opened again", () =>
    withTemporaryFolder(async (path) => {
      const log = await open(path);
      await log.append(aRecord("a"));
      await log.append(aRecord("b"));
      await log.trim(2);
      await log.close();
      const again = await open(path);
      expect([again.firstOffset, again.nextOffset, again.bytes]).toEqual([2, 2, 0]);
      expect(await again.append(aRecord("c"))).toBe(2);
      await again.close();
    }));

  it("refuses to trim what it does not hold yet", () =>
    withTemporaryFolder(async (path) => {
      const log = await open(path);
      await expect(log.trim(1)).rejects.toThrow(RangeError);
      await log.close();
    }));

  it("refuses a record for which there is no room, and takes records again after a trim", () =>
    withTemporaryFolder(async (path) => {
      const log = await open(path, 65_536);
      const big = () => aRecord("x".repeat(20_000));
      await log.append(big());
      const attempts = await Promise.allSettled([
        log.append(big()),
        log.append(big()),
        log.append(big()),
      ]);
      expect(attempts.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected"]);
      await expect(log.append(big())).rejects.toMatchObject({ code: "log_full" });
      expect(log.bytes).toBeLessThanOrEqual(65_536);
      expect(log.nextOffset).toBe(3);
      await log.trim(2);
      expect(await log.append(big())).toBe(3);
      expect(log.isHealthy()).toBe(true);
      await log.close();
    }));

  it("refuses records while too many bytes wait for the disk", () =>
    withTemporaryFolder(async (path) => {
      const log = await openEmbeddedLog({ path, maxBytes: MAX_BYTES, maxWaitingBytes: 50_000 });
      const big = () => log.append(aRecord("x".repeat(20_000)));
      const attempts = [big(), big()];
      await expect(big()).rejects.toMatchObject({ code: "log_overloaded" });
      expect(log.waitingBytes).toBeGreaterThan(40_000);
      await Promise.all(attempts);
      expect(log.waitingBytes).toBe(0);
      await big();
      await log.close();
    }));

  it("keeps marks over restarts and trims, the last value of each", () =>
    withTemporaryFolder(async (path) => {
      const log = await open(path);
      expect(log.mark("committed")).toBeNull();
      await Promise.all([log.setMark("committed", "1"), log.setMark("committed", "2 ü")]);
      await log.setMark("other", "");
      await log.append(aRecord("a"));
      await log.trim(1);
      await log.close();
      const again = await open(path);
      expect([again.mark("committed"), again.mark("other")]).toEqual(["2 ü", ""]);
      await expect(again.setMark("x".repeat(65), "")).rejects.toThrow(RangeError);
      await again.close();
    }));

  it("tells listeners of new records that can be read by then", () =>
    withTemporaryFolder(async (path) => {
      const log = await open(path);
      const seen: (string | undefined)[] = [];
      const stop = log.onAppend(() => seen.push(log.read(0, everything).at(-1)?.value?.toString()));
      await log.append(aRecord("a"));
      await log.setMark("m", "no record");
      stop();
      await log.append(aRecord("b"));
      expect(seen).toEqual(["a"]);
      await log.close();
    }));

  it("finishes what waits when it is closed, and refuses what comes later", () =>
    withTemporaryFolder(async (path) => {
      const log = await open(path);
      const appended = log.append(aRecord("a"));
      await Promise.all([log.close(), log.close()]);
      expect(await appended).toBe(0);
      await expect(log.append(aRecord("b"))).rejects.toMatchObject({ code: "log_closed" });
      await expect(log.trim(0)).rejects.toMatchObject({ code: "log_closed" });
      await expect(log.setMark("m", "")).rejects.toMatchObject({ code: "log_closed" });
      expect(() => log.read(0, everything)).toThrow(
        expect.objectContaining({ code: "log_closed" }),
      );
      expect(() => log.mark("m")).toThrow(expect.objectContaining({ code: "log_closed" }));
    }));
});
