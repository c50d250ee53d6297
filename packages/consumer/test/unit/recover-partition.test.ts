import { describe, expect, it } from "@jest/globals";
import type { LedgerEntry } from "../../src/ledger.js";
import { EpochEndedError } from "../../src/record-source.js";
import { LogEndsEarlyError, recoverPartition, storedOffsets } from "../../src/recover-partition.js";
import {
  cutRange,
  encodeIntent,
  type ReportRange,
  UnreadableIntentError,
} from "../../src/report-range.js";
import { WriteError } from "../../src/report-writer.js";
import { buildRowLines } from "../../src/row-lines.js";
import { IngestionWorld } from "../fakes/ingestion-world.js";
import { goodRecord, reportId } from "../fakes/record-builders.js";
import { ScriptedObserver } from "../fakes/scripted-observer.js";

const TRUST_MS = 300_000;

/** A world whose log holds `records` records. */
function aWorld(records = 100) {
  const world = new IngestionWorld();
  world.log.append(
    Array.from({ length: records }, (_, n) => goodRecord({ reportId: reportId(n) })),
  );
  const parts = world.parts(new ScriptedObserver(), { tokenTrustMs: TRUST_MS });
  const recover = () => recoverPartition(world.log.assign(), parts);
  const range = (first: number, last: number): ReportRange =>
    cutRange(
      { source: world.source, partition: world.log.partition, first },
      world.log.from(first).filter(({ offset }) => offset <= last),
      new Date(world.clock.now()),
    );
  const announce = (announced: ReportRange) =>
    world.log.commit(announced.first, encodeIntent(announced));
  const insert = (inserted: ReportRange) =>
    world.writer.write(inserted.name, buildRowLines(inserted, inserted.records).lines);
  const complete = (completed: ReportRange) =>
    world.ledger.close({ ...completed, ...counts(completed) });
  return { world, parts, recover, range, announce, insert, complete };
}

function counts({ first, last }: ReportRange): Omit<LedgerEntry, keyof ReportRange> {
  return {
    receivedFrom: null,
    receivedTo: null,
    rows: last - first + 1,
    setAside: 0,
    repeated: 0,
    absent: 0,
  };
}

describe("recovery of a partition", () => {
  it("begins at the log's beginning when nothing was ever committed", async () => {
    expect(await aWorld().recover()).toEqual({
      cursor: 0,
      readFrom: 0,
      underWay: null,
      isCommitted: true,
    });
  });

  it("begins at the committed offset", async () => {
    const { world, recover } = aWorld();
    world.log.commit(40, "");

    expect(await recover()).toEqual({
      cursor: 40,
      readFrom: 40,
      underWay: null,
      isCommitted: true,
    });
  });

  it("begins at the ledger's end when the commit behind it was lost", async () => {
    const { recover, range, announce, complete } = aWorld();
    announce(range(40, 49));
    await complete(range(40, 49));

    expect(await recover()).toEqual({
      cursor: 50,
      readFrom: 50,
      underWay: null,
      isCommitted: false,
    });
  });

  it("does not cut again what is complete when the commit was set back", async () => {
    const { world, recover, range, complete } = aWorld();
    for (const first of [0, 10, 20]) await complete(range(first, first + 9));
    world.log.commit(10, "");

    expect(await recover()).toMatchObject({ cursor: 30, underWay: null });
  });

  it("begins at the ledger's end when the group has forgotten its commits", async () => {
    const { world, recover, range, complete } = aWorld();
    await complete(range(0, 9));
    await complete(range(10, 19));
    world.log.forgetCommits();

    expect(await recover()).toMatchObject({ cursor: 20, underWay: null });
  });

  it("does not jump over a hole in the ledger", async () => {
    const { world, recover, range, complete } = aWorld();
    await complete(range(0, 9));
    await complete(range(20, 29));
    world.log.commit(0, "");

    expect(await recover()).toMatchObject({ cursor: 10, underWay: null });
  });

  it("finds the range that was announced and is not complete", async () => {
    const { recover, range, announce } = aWorld();
    const announced = range(40, 49);
    announce(announced);

    expect(await recover()).toEqual({
      cursor: 40,
      isCommitted: true,
      readFrom: 40,
      underWay: {
        intent: { name: announced.name, first: 40, last: 49, records: 10, mustLookUp: false },
        mustLookUp: false,
      },
    });
  });

  it("finds nothing under way when the announced range is complete", async () => {
    const { recover, range, announce, complete } = aWorld();
    announce(range(40, 49));
    await complete(range(40, 49));

    expect((await recover()).underWay).toBeNull();
  });

  it("trusts an announced range's token until it is too old, and looks its rows up then", async () => {
    const { world, recover, range, announce } = aWorld();
    announce(range(40, 49));
    world.clock.leap(TRUST_MS);
    expect(await recover()).toMatchObject({ underWay: { mustLookUp: false } });

    world.clock.leap(1);

    expect(await recover()).toMatchObject({ underWay: { mustLookUp: true } });
  });

  it("looks rows up when the announcement says that some may be there under other names", async () => {
    const { world, recover, range } = aWorld();
    world.log.commit(40, encodeIntent(range(40, 49), { mustLookUp: true }));

    expect(await recover()).toMatchObject({ underWay: { mustLookUp: true } });
  });

  it("looks rows up when the log no longer holds the whole of the announced range", async () => {
    const { world, recover, range, announce } = aWorld();
    announce(range(40, 49));
    world.log.trimTo(43);

    expect(await recover()).toMatchObject({
      cursor: 40,
      readFrom: 43,
      underWay: { intent: { first: 40, last: 49 }, mustLookUp: true },
    });
  });

  it("looks rows up when another range has completed a part of the announced one", async () => {
    const { recover, range, announce, complete } = aWorld();
    announce(range(40, 49));
    await complete(range(40, 44));

    expect(await recover()).toMatchObject({
      cursor: 45,
      readFrom: 45,
      underWay: { intent: { first: 40, last: 49 }, mustLookUp: true },
    });
  });

  it("reads from the low watermark when the log has lost what would be next", async () => {
    const { world, recover } = aWorld();
    world.log.commit(40, "");
    world.log.trimTo(60);

    expect(await recover()).toEqual({
      cursor: 40,
      readFrom: 60,
      underWay: null,
      isCommitted: true,
    });
  });

  it("refuses metadata that it cannot read", async () => {
    const { world, recover } = aWorld();
    world.log.commit(40, "somebody else's");

    await expect(recover()).rejects.toThrow(UnreadableIntentError);
  });

  it("refuses an intent that stands at another offset than its own", async () => {
    const { world, recover, range } = aWorld();
    world.log.commit(39, encodeIntent(range(40, 49)));

    await expect(recover()).rejects.toThrow(UnreadableIntentError);
  });

  it.each([
    [
      "the committed offset",
      async ({ world }: ReturnType<typeof aWorld>) => world.log.commit(40, ""),
    ],
    [
      "the announced range",
      async ({ range, announce }: ReturnType<typeof aWorld>) => announce(range(0, 39)),
    ],
    [
      "the ledger's end",
      async ({ range, complete }: ReturnType<typeof aWorld>) => complete(range(0, 39)),
    ],
  ])("stops when the log ends before %s, and says what to change", async (_, prepare) => {
    const given = aWorld();
    await prepare(given);
    given.world.log.recreate();
    const before = given.world.clock.now();

    const recovering = given.recover();

    await expect(recovering).rejects.toThrow(LogEndsEarlyError);
    await expect(recovering).rejects.toThrow(/ends at offset 0, but .* up to 40 .*KAFKA_SOURCE/s);
    expect(given.world.clock.now() - before).toBeGreaterThan(2_000);
  });

  it("waits for a new leader's high watermark to catch up", async () => {
    const { world, recover } = aWorld(39);
    world.log.commit(40, "");
    const recovering = recover();
    world.log.append([goodRecord()]);

    expect(await recovering).toEqual({
      cursor: 40,
      readFrom: 40,
      underWay: null,
      isCommitted: true,
    });
  });

  it("asks again while Kafka does not answer, until the epoch ends", async () => {
    const { world, parts } = aWorld();
    const assigned = world.log.assign();
    assigned.positionFailures.times(2, new WriteError("passes_with_time", 0, "away"));
    expect(await recoverPartition(assigned, parts)).toMatchObject({ cursor: 0 });

    assigned.positionFailures.times(1_000, new WriteError("passes_with_time", 0, "away"));
    const recovering = recoverPartition(assigned, parts);
    assigned.end();
    await expect(recovering).rejects.toThrow(EpochEndedError);
  });
});

describe("the rows of a range under way", () => {
  it("are those of its offsets that are there, also when the log holds none of them", async () => {
    const { world, range, insert, parts } = aWorld();
    const underWay = range(40, 49);
    await insert(range(38, 44));

    const stored = await storedOffsets({ ...underWay, records: [] }, world.log.assign(), parts);

    expect([...stored]).toEqual([40, 41, 42, 43, 44]);
  });
});
