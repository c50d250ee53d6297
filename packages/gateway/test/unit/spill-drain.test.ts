import { open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { waitFor } from "@push-reports/test-support";
import fc from "fast-check";
import type { SendFate } from "../fakes/in-memory-topic.js";
import { hurriedClock, SpillWorld } from "../support/spill-world.js";

/** Something that happens to a gateway with a spill. */
type Happening =
  | { readonly kind: "spill"; readonly count: number }
  | { readonly kind: "send" | "send_apart"; readonly partition: number; readonly count: number }
  | { readonly kind: "fates"; readonly fates: readonly SendFate[] }
  | { readonly kind: "down" | "up"; readonly partition: number }
  | { readonly kind: "wait"; readonly turns: number }
  | { readonly kind: "crash" }
  /** The disk fails one commit. */
  | { readonly kind: "fault"; readonly goodCommits: number }
  | { readonly kind: "late" | "acknowledge" };

const partition = fc.integer({ min: 0, max: 2 });
const count = fc.integer({ min: 1, max: 12 });
const fate = fc.constantFrom<SendFate>(
  "taken",
  "slow",
  "refused",
  "lost",
  "unacknowledged",
  "late",
);
const happening: fc.Arbitrary<Happening> = fc.oneof(
  fc.record({ kind: fc.constant("spill" as const), count }),
  fc.record({ kind: fc.constantFrom("send" as const, "send_apart" as const), partition, count }),
  fc.record({ kind: fc.constant("fates" as const), fates: fc.array(fate, { maxLength: 6 }) }),
  fc.record({ kind: fc.constantFrom("down" as const, "up" as const), partition }),
  fc.record({ kind: fc.constant("wait" as const), turns: fc.integer({ min: 1, max: 40 }) }),
  fc.record({ kind: fc.constant("crash" as const) }),
  fc.record({ kind: fc.constant("fault" as const), goodCommits: fc.integer({ min: 0, max: 6 }) }),
  fc.record({ kind: fc.constantFrom("late" as const, "acknowledge" as const) }),
);

describe("the drain of a spill", () => {
  let world: SpillWorld;
  beforeEach(async () => {
    world = await SpillWorld.create();
  });
  afterEach(() => world.dispose());

  it("gives each record one row, whatever becomes of sends, partitions and processes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { minLength: 4, maxLength: 25 }), async (happenings) => {
        const one = await SpillWorld.create();
        try {
          await one.begin();
          for (const what of happenings) await happen(one, what);
          one.topic.fates = [];
          one.topic.acknowledgeSlow();
          one.topic.down.clear();
          one.failCommitAfter(Number.POSITIVE_INFINITY);
          await one.untilDrained();
          one.topic.acknowledgeSlow();
          one.topic.deliverLate();
          const rows = one.rows();
          expect(one.topic.overlaps).toBe(0);
          expect(rows.toSorted(byText)).toEqual(one.spilled.toSorted(byText));
        } finally {
          await one.dispose();
        }
      }),
      { numRuns: 40 },
    );
  }, 120_000);

  it("keeps the order of the spill", async () => {
    world.topic.down.add(0).add(1);
    await world.begin();
    await world.spill(100);
    await world.untilDrained();
    expect(world.rows()).toEqual(world.spilled);
  });

  it("overtakes what must go to a partition without a leader, and sends it when there is one", async () => {
    await world.begin();
    world.topic.fates = ["lost"];
    world.topic.down.add(1);
    await world.sendThenSpill(1, 5);
    const [...pinned] = world.spilled;
    await world.spill(50);
    await untilRows(world, 50);
    expect(world.rows()).not.toEqual(expect.arrayContaining(pinned));
    world.topic.down.clear();
    await world.untilDrained();
    expect(world.rows().toSorted(byText)).toEqual(world.spilled.toSorted(byText));
  });

  it("sends what comes after a fault of the disk under another identity than what it sends again", async () => {
    world.topic.down.add(0).add(1);
    world.topic.fates = ["slow"];
    await world.begin();
    await world.spill(2);
    await untilSlowSend(world);
    world.failCommitAfter(0);
    await world.spill(1);
    world.topic.acknowledgeSlow();
    await hurriedClock.sleep(500);
    await world.spill(2);
    await world.untilDrained();
    expect(world.rows()).toEqual(world.spilled);
  });

  it("goes on after a fault of the disk though nothing more is spilled", async () => {
    await world.begin();
    world.failCommitAfter(1);
    await world.spill(2);
    await world.untilDrained();
    expect(world.rows()).toEqual(world.spilled);
  });

  it("sends one batch at a time with a producer, also when one that was overtaken needs another identity", async () => {
    await world.begin();
    world.topic.fates = ["lost"];
    world.topic.down.add(1);
    await world.sendThenSpillApart(1, 8);
    await untilRows(world, 8);
    world.topic.fates = ["slow"];
    await world.spill(1);
    await untilSlowSend(world);
    // Each is refused once and waits for a random time, so that later ones go before earlier ones and fence them.
    world.topic.fates = Array.from({ length: 8 }, () => "refused" as const);
    world.topic.down.clear();
    await hurriedClock.sleep(5_000);
    world.topic.acknowledgeSlow();
    await world.untilDrained();
    expect(world.topic.overlaps).toBe(0);
    expect(world.rows().toSorted(byText)).toEqual(world.spilled.toSorted(byText));
  });

  it.each(["connect", "send"] as const)(
    "tells of every batch, and of what somebody has to mend before it can %s",
    async (forbidden) => {
      world.topic.forbidden = forbidden;
      await world.begin();
      await world.spill(30);
      await waitFor(async () => world.problem.reason !== null, { what: "the reason" });
      expect(world.problem.reason).toBe("the user has no right to the topic");
      world.topic.forbidden = null;
      await world.untilDrained();

      expect(world.problem.reason).toBeNull();
      const sent = world.heard.filter((records) => typeof records === "number");
      expect(sent.reduce((sum, records) => sum + records, 0)).toBe(30);
      expect(world.heard.includes("not_sent")).toBe(forbidden === "send");
    },
  );

  it("says of a disk that fails for long that it does, at once and once a minute", async () => {
    const faults = 70;
    world.topic.down.add(0).add(1).add(2);
    await world.begin();
    await world.spill(5);
    world.failCommitAfter(0, faults);
    world.topic.down.clear();
    await world.untilDrained();

    const times = world.drainFaults.map(({ at }) => at);
    expect(times.length).toBeGreaterThan(1);
    for (const [index, at] of times.slice(1).entries())
      expect(at - (times[index] ?? 0)).toBeGreaterThanOrEqual(60_000);
    const said = world.drainFaults.reduce((sum, { leftOut }) => sum + 1 + Number(leftOut ?? 0), 0);
    expect(said).toBeGreaterThan(times.length);
    expect(said).toBeLessThanOrEqual(faults);
  });

  it("drains every record although the log's format file is gone", async () => {
    world.topic.down.add(0).add(1).add(2);
    await world.begin();
    await world.spill(50);
    await world.crash();
    await rm(join(world.folder, "log", "format"));
    await world.begin("checked");
    world.topic.down.clear();
    await world.untilDrained();

    expect(world.rows().toSorted(byText)).toEqual(world.spilled.toSorted(byText));
    expect(await readdir(world.folder)).toEqual(["log"]);
  });

  it.each(["there", "gone"])(
    "sets a damaged log whose format file is %s aside under a name of its own and goes on with a new one",
    async (format) => {
      world.topic.down.add(0).add(1).add(2);
      await world.begin();
      await world.spill(500);
      await world.crash();
      if (format === "gone") await rm(join(world.folder, "log", "format"));
      const path = join(world.folder, "log", "data.mdb");
      const file = await open(path, "r+");
      const { size } = await file.stat();
      await file.write(Buffer.alloc(size - 8_192, 0x5a), 0, undefined, 8_192);
      await file.close();
      await world.begin("checked");
      await world.spill(5);
      world.topic.down.clear();
      await world.untilDrained();

      expect(world.rows()).toEqual(world.spilled.slice(-5));
      const names = await readdir(world.folder);
      expect(names.toSorted(byText)).toEqual([
        expect.stringMatching(/^damaged-\d{8}T\d{9}Z$/),
        "log",
      ]);
      expect(world.store.setAsideCount).toBe(1);
    },
  );
});

const byText = (a: string, b: string) => a.localeCompare(b);

async function happen(world: SpillWorld, what: Happening): Promise<void> {
  switch (what.kind) {
    case "spill":
      return await world.spill(what.count);
    case "send":
      return await world.sendThenSpill(what.partition, what.count);
    case "send_apart":
      return await world.sendThenSpillApart(what.partition, what.count);
    case "fates":
      world.topic.fates.push(...what.fates);
      return;
    case "down":
      world.topic.down.add(what.partition);
      return;
    case "up":
      world.topic.down.delete(what.partition);
      return;
    case "wait":
      for (let turn = 0; turn < what.turns; turn += 1)
        await new Promise((resolve) => setImmediate(resolve));
      return;
    case "crash":
      await world.crash();
      return await world.begin();
    case "fault":
      return world.failCommitAfter(what.goodCommits);
    case "late":
      return world.topic.deliverLate();
    case "acknowledge":
      return world.topic.acknowledgeSlow();
  }
}

function untilRows(world: SpillWorld, rows: number): Promise<unknown> {
  return waitFor(async () => world.rows().length >= rows, { what: `${rows} rows`, intervalMs: 1 });
}

function untilSlowSend(world: SpillWorld): Promise<unknown> {
  return waitFor(async () => world.topic.slowSends === 1, { what: "a send", intervalMs: 5 });
}
