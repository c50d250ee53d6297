import { describe, expect, it } from "@jest/globals";
import { nextTurn } from "@push-reports/test-support";
import type { IngestStep } from "../../src/ingest-observer.js";
import { WriteError } from "../../src/report-writer.js";
import { ledgerSums } from "../fakes/history.js";
import { Crash, INSERT_TIMEOUT_MS, IngestionWorld } from "../fakes/ingestion-world.js";
import { goodRecord, reportId } from "../fakes/record-builders.js";

const MONTHS = ["2025-12-31T23:59:59Z", "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"];

/** A log of reports of three months, in turn. */
function aWorld(records = 9) {
  const world = new IngestionWorld();
  world.log.append(
    Array.from({ length: records }, (_, n) => {
      const receivedAt = new Date(MONTHS[n % MONTHS.length] ?? 0);
      return goodRecord({ reportId: reportId(n), receivedAt });
    }),
  );
  const expectExactlyOnce = () => {
    expect(world.rowOffsets).toEqual(Array.from({ length: records }, (_, n) => n));
    expect(ledgerSums(world)).toMatchObject({ end: records, rows: records, absent: 0 });
  };
  return { world, expectExactlyOnce };
}

const dieAt = (wanted: IngestStep) => (step: IngestStep) => {
  if (step === wanted) throw new Crash();
};

describe("a range across months, whose parts the table takes one by one,", () => {
  it.each([1, 2])(
    "is completed under its name when the insert died after %s of three parts",
    async (parts) => {
      const { world, expectExactlyOnce } = aWorld();
      // The first range of an epoch says that it must be looked up, the next one trusts its name.
      await world.live({
        limits: { maxRecords: 3 },
        prepare: () => world.writer.partFailures.next(new Crash(), "after", 3 + parts - 1),
      });
      expect(world.rowOffsets).toHaveLength(3 + parts);
      const [, died] = world.writer.inserts;

      await world.live();

      expect(world.writer.inserts[2]).toBe(died);
      expectExactlyOnce();
    },
  );

  it("is completed by the rows that are there when its name is forgotten", async () => {
    const { world, expectExactlyOnce } = aWorld();
    await world.live({ prepare: () => world.writer.partFailures.next(new Crash(), "after") });
    world.writer.forgetTokens();
    world.clock.leap(3_600_000);

    await world.live();

    expectExactlyOnce();
  });

  it("is completed when the database dies between two parts and the process does not", async () => {
    const { world, expectExactlyOnce } = aWorld();
    await world.live({
      prepare: () => {
        world.writer.startedAt = new Date("2100-01-01T00:00:00Z");
        world.writer.partFailures.next(new WriteError("passes_with_time", 0, "killed"), "after");
      },
    });

    expectExactlyOnce();
  });

  it("is looked up only once an insert of the owner before has ended, which may be at it part by part", async () => {
    const { world, expectExactlyOnce } = aWorld();
    // An epoch that begins without an intent announces ranges that a successor must look up.
    const held = world.writer.partFailures.hold(1);
    const formerOwner = world.live();
    await held.reached;
    // What the database does within its bound of time.
    const began = world.clock.now();
    void world.clock.reaches(began + INSERT_TIMEOUT_MS).then(held.release);
    await world.live();
    held.release();
    await formerOwner;
    await nextTurn(3);

    expect(world.clock.now() - began).toBeLessThan(2 * INSERT_TIMEOUT_MS);
    expectExactlyOnce();
  });

  it("is not waited for by an epoch that has ended", async () => {
    const { world } = aWorld();
    await world.live({ atStep: dieAt("inserted") });
    const began = world.clock.now();
    await world.live({ prepare: (assigned) => assigned.end() });

    expect(world.clock.now()).toBe(began);
  });
});

describe("a range within a month", () => {
  it("is looked up at once, since all of it is there or nothing", async () => {
    const world = new IngestionWorld();
    world.log.append([
      goodRecord({ reportId: reportId(1) }),
      goodRecord({ reportId: reportId(2) }),
    ]);
    await world.live({ atStep: dieAt("inserted") });
    const began = world.clock.now();
    await world.live();

    expect(world.clock.now() - began).toBeLessThan(INSERT_TIMEOUT_MS);
    expect(world.rowOffsets).toEqual([0, 1]);
  });
});
