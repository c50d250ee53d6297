import { jestGlobals } from "../jest-globals.js";
import { waitFor } from "../wait-for.js";
import {
  ASSIGNMENT_MS,
  ENDED,
  offsetsOf,
  onALog,
  PLENTY,
  type RecordSourceUnderTest,
  someRecords,
  upTo,
} from "./record-source-under-test.js";

/** Declares what every record source does with commits, and when an epoch ends. */
export function recordEpochsContract(open: () => Promise<RecordSourceUnderTest>): void {
  const { expect, it } = jestGlobals();
  const on = onALog(open);

  it(
    "keeps what was committed, metadata included, for whoever reads next",
    on(async (log, begin) => {
      await log.append(someRecords(10));
      const intent = JSON.stringify({ name: `äöü "'\\ ${"x".repeat(3_000)}` });
      const reader = await begin();
      const first = await reader.owned();
      first.startAt(0);
      await first.take({ ...PLENTY, maxRecords: 8 });
      await first.commit(0, intent);
      expect(await first.position()).toMatchObject({ committedOffset: 0, metadata: intent });
      await first.commit(4, intent);
      await first.commit(4, "");
      await first.commit(5, intent);
      await reader.source.stop();

      const second = await (await begin()).owned();
      expect(await second.position()).toMatchObject({ committedOffset: 5, metadata: intent });
      second.startAt(5);
      // Taken before and not committed: they come again.
      expect(offsetsOf(await second.takeThrough(9))).toEqual(upTo(10, 5));
      await second.commit(10, "");
      expect(await second.position()).toMatchObject({ committedOffset: 10, metadata: "" });
    }),
  );

  it(
    "commits before it was given any record, as for what retention has removed",
    on(async (log, begin) => {
      await log.append(someRecords(3));
      await log.trimTo(3);
      const assigned = await (await begin()).owned();
      assigned.startAt(3);
      await assigned.commit(0, "intent");
      await assigned.commit(3, "");
      expect(await assigned.position()).toEqual({
        committedOffset: 3,
        metadata: "",
        lowWatermark: 3,
        highWatermark: 3,
      });
    }),
  );

  it(
    "rejects everything once the epoch has ended, and commits nothing",
    on(async (log, begin) => {
      await log.append(someRecords(5));
      const reader = await begin();
      const assigned = await reader.owned();
      assigned.startAt(0);
      await assigned.takeThrough(4);
      await assigned.commit(3, "kept");
      const waiting = expect(assigned.take(PLENTY)).rejects.toMatchObject(ENDED);
      await reader.source.stop();

      await waiting;
      expect(assigned.ended.aborted).toBe(true);
      expect(assigned.ended.reason).toMatchObject(ENDED);
      await expect(assigned.take(PLENTY)).rejects.toMatchObject(ENDED);
      await expect(assigned.takeThrough(4)).rejects.toMatchObject(ENDED);
      await expect(assigned.commit(5, "late")).rejects.toMatchObject(ENDED);
      await expect(assigned.position()).rejects.toMatchObject(ENDED);
      expect(() => assigned.takeReady(PLENTY)).toThrow(expect.objectContaining(ENDED));
      const next = await (await begin()).owned();
      expect(await next.position()).toMatchObject({ committedOffset: 3, metadata: "kept" });
    }),
  );

  it(
    "ends a wait for a stretch with the epoch",
    on(async (log, begin) => {
      await log.append(someRecords(5));
      const reader = await begin();
      const assigned = await reader.owned();
      assigned.startAt(0);
      const waiting = expect(assigned.takeThrough(100)).rejects.toMatchObject(ENDED);
      await reader.source.stop();
      await waiting;
    }),
  );

  it(
    "ends the epoch of whoever had the partition before, and commits nothing for it",
    on(async (log, begin) => {
      // A log of one process has no second owner.
      if (!log.isShared) return;
      await log.append(someRecords(5));
      const first = await begin();
      const before = await first.owned();
      before.startAt(0);
      await before.takeThrough(4);
      await before.commit(2, "mine");
      const second = await begin();
      await waitFor(() => before.ended.aborted, {
        what: "the first epoch to end",
        timeoutMs: ASSIGNMENT_MS,
      });
      await expect(before.commit(5, "no longer mine")).rejects.toMatchObject(ENDED);
      const now = await Promise.race([first.owned(), second.owned()]);
      expect(await now.position()).toMatchObject({ committedOffset: 2, metadata: "mine" });
      now.startAt(2);
      expect(offsetsOf(await now.takeThrough(4))).toEqual([2, 3, 4]);
      await now.commit(5, "");
    }),
  );

  it(
    "shows signs of life",
    on(async (_log, begin) => {
      const before = Date.now();
      const { source, owned } = await begin().then((reader) => ({
        source: reader.source,
        owned: reader.owned(),
      }));
      await owned;
      await waitFor(() => source.lastActivityAt() >= before, { what: "a sign of life" });
    }),
  );
}
