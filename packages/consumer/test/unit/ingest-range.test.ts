import { describe, expect, it } from "@jest/globals";
import { CLOCK_START, nextTurn } from "@push-reports/test-support";
import { Registry } from "prom-client";
import type { IngestStep } from "../../src/ingest-observer.js";
import { ingestRange, type RangeTurn } from "../../src/ingest-range.js";
import { createConsumerMetrics } from "../../src/metrics.js";
import { MetricsObserver, Observers } from "../../src/observe-metrics.js";
import { ProgressWatch } from "../../src/progress-watch.js";
import { EpochEndedError } from "../../src/record-source.js";
import { cutRange, decodeIntent, type ReportRange } from "../../src/report-range.js";
import { WriteError } from "../../src/report-writer.js";
import { buildRowLines } from "../../src/row-lines.js";
import type { NewRecord } from "../fakes/in-memory-log.js";
import { Crash, IngestionWorld, type Life } from "../fakes/ingestion-world.js";
import {
  againRecord,
  goodRecord,
  refusedRecord,
  reportId,
  unreadableRecord,
} from "../fakes/record-builders.js";
import { ScriptedObserver } from "../fakes/scripted-observer.js";

const FIRST_TURN: RangeTurn = {
  announced: false,
  mayBeStored: false,
  mustLookUp: false,
  stored: new Set(),
  cutNext: () => null,
};
const STEPS = [
  "cut",
  "intent_committed",
  "set_aside",
  "inserted",
  "ledger_written",
  "committed",
] as const satisfies readonly IngestStep[];

/** A range of all the records, from offset 0 on, and what ingests it. */
function aRange(records: readonly NewRecord[], last = records.length - 1, life: Life = {}) {
  const world = new IngestionWorld();
  const held = world.log.append(records);
  const assigned = world.log.assign();
  const cut = cutRange(
    { source: world.source, partition: world.log.partition, first: 0 },
    held,
    new Date(world.clock.now()),
  );
  const range: ReportRange = { ...cut, last };
  const observer = new ScriptedObserver((step) => atStep(step), world.journal);
  let atStep: (step: IngestStep) => void = () => undefined;
  const parts = world.parts(observer, life);
  const ingest = (turn: Partial<RangeTurn> = {}) =>
    ingestRange(range, assigned, parts, { ...FIRST_TURN, ...turn });
  const onStep = (act: (step: IngestStep) => void) => {
    atStep = act;
  };
  return { world, assigned, range, observer, parts, ingest, onStep };
}

const good = (n: number) => goodRecord({ reportId: reportId(n) });

describe("the ingestion of a range", () => {
  it("announces, sets aside, inserts, closes the ledger and commits, in this order", async () => {
    const { world, ingest } = aRange([good(0), unreadableRecord(), refusedRecord(), good(3)]);

    expect(await ingest()).toBeNull();

    expect(world.journal).toEqual([
      "step cut",
      "commit 0 with intent",
      "step intent_committed",
      "set aside 1",
      "step set_aside",
      "set aside 2",
      "insert 2",
      "step inserted",
      "ledger 0-3",
      "step ledger_written",
      "commit 4",
      "step committed",
    ]);
  });

  it("commits an intent from which a successor makes the same range", async () => {
    const { world, range, ingest } = aRange([good(0), good(1)]);
    await ingest();

    const { name } = range;
    expect(decodeIntent(world.log.commits[0]?.metadata ?? "", 3)).toEqual({
      name,
      first: 0,
      last: 1,
      records: 2,
      mustLookUp: false,
    });
    expect(world.writer.inserts).toEqual([name]);
    expect(world.ledger.entries).toMatchObject([{ name }]);
  });

  it("does not announce again what was announced", async () => {
    const { world, ingest } = aRange([good(0)]);
    await ingest({ announced: true });

    expect(world.journal.filter((line) => line.startsWith("commit"))).toEqual(["commit 1"]);
  });

  it("lets the next range's intent ride along with its commit", async () => {
    const { world, ingest, range } = aRange([good(0)]);
    const [next] = world.log.append([good(1)]);
    const following = cutRange(
      { ...range, first: 1 },
      next === undefined ? [] : [next],
      new Date(0),
    );
    const at: string[] = [];

    const announced = await ingest({
      cutNext: () => {
        at.push(world.journal.at(-1) ?? "");
        return following;
      },
    });

    expect(announced).toBe(following);
    expect(at).toEqual(["step ledger_written"]);
    expect(world.log.committed).toMatchObject({ offset: 1 });
    expect(decodeIntent(world.log.committed?.metadata ?? "", 3)).toMatchObject({ first: 1 });
  });

  it("accounts for every offset of the range", async () => {
    const records = [good(0), unreadableRecord(), againRecord({ reportId: reportId(0) }), good(3)];
    const { world, ingest, observer } = aRange(records, 6);
    await ingest();

    const counts = { rows: 2, setAside: 1, repeated: 1, absent: 3 };
    expect(world.ledger.entries).toMatchObject([{ first: 0, last: 6, ...counts }]);
    expect(observer.completions).toMatchObject([{ counts }]);
    expect(world.rowOffsets).toEqual([0, 3]);
  });

  it("names offsets that the log no longer holds", async () => {
    const { world, ingest } = aRange([good(0)], 2);
    await ingest();

    expect(world.logger.of("records_absent")).toMatchObject([
      {
        level: "error",
        fields: { partition: 3, first: 0, last: 2, absent: 2, stretches: [{ from: 1, to: 2 }] },
      },
    ]);
  });

  it("books the latest time of receipt, or none where there is no record", async () => {
    const times = ["2026-01-01T00:00:02Z", "2026-01-01T00:00:03Z", "2026-01-01T00:00:01Z"];
    const late = aRange(times.map((time) => goodRecord({ receivedAt: new Date(time) })));
    await late.ingest();
    expect(late.world.ledger.entries[0]?.receivedTo).toEqual(new Date("2026-01-01T00:00:03Z"));

    const { world, range, assigned, parts } = aRange([good(0)]);
    await ingestRange({ ...range, records: [] }, assigned, parts, FIRST_TURN);
    expect(world.ledger.entries[0]).toMatchObject({ receivedTo: null, absent: 1 });
  });

  it("books the times of receipt that the rows bear, not Kafka's timestamps", async () => {
    const receivedAt = new Date("2026-01-02T03:04:05.678Z");
    const { world, ingest } = aRange([
      { ...goodRecord({ receivedAt }), timestampMs: 1_800_000_000_000 },
    ]);
    await ingest();

    expect(world.ledger.entries).toMatchObject([
      { receivedFrom: receivedAt, receivedTo: receivedAt },
    ]);
  });

  it("inserts only the rows that are not there when they were looked up", async () => {
    const { world, ingest } = aRange([good(0), good(1), good(2), unreadableRecord()]);
    await ingest({ announced: true, stored: new Set([0, 2]) });

    expect(world.rowOffsets).toEqual([1]);
    expect(world.ledger.entries).toMatchObject([{ rows: 3, setAside: 1, absent: 0 }]);
  });

  it("completes the views of rows that are there, since their insert may have died before it reached them", async () => {
    const { world, ingest } = aRange([good(0), good(1), good(2)]);
    await ingest({ stored: new Set([0, 1, 2]) });

    expect(world.writer.inserts).toEqual([]);
    expect(world.writer.viewCompletions).toBe(1);
  });

  it("finds copies of what was sent again among the rows of earlier ranges", async () => {
    const { world, ingest, range, parts, assigned } = aRange([good(0)]);
    await ingest();
    const records = world.log.append([againRecord({ reportId: reportId(0) })]);
    await ingestRange(
      cutRange({ ...range, first: 1 }, records, new Date(0)),
      assigned,
      parts,
      FIRST_TURN,
    );

    expect(world.rowOffsets).toEqual([0]);
    expect(world.ledger.entries[1]).toMatchObject({ first: 1, last: 1, rows: 0, repeated: 1 });
  });

  it("inserts nothing when every record is bad, and is complete all the same", async () => {
    const { world, ingest } = aRange([unreadableRecord(), refusedRecord()]);
    await ingest();

    expect(world.rowOffsets).toEqual([]);
    expect(world.deadLetters.offsets).toEqual([0, 1]);
    expect(world.ledger.entries).toMatchObject([{ rows: 0, setAside: 2 }]);
  });

  it("keeps why a record was set aside", async () => {
    const { world, ingest, observer } = aRange([unreadableRecord(), refusedRecord()]);
    await ingest();

    expect(world.deadLetters.at(0)).toMatchObject({ reason: "not_json", clickHouseCode: 0 });
    expect(world.deadLetters.at(1)).toMatchObject({ reason: "refused", clickHouseCode: 469 });
    expect(observer.badRecords.map(({ record }) => record.offset)).toEqual([0, 1]);
  });

  it("repeats an insert whose outcome nobody knows, under the same name", async () => {
    const { world, ingest, range } = aRange([good(0), good(1)]);
    world.writer.failures.next(new WriteError("passes_with_time", 252, "too many parts"));
    world.writer.failures.next(new WriteError("passes_with_time", 0, "cut off"), "after");
    await ingest();

    expect(world.writer.inserts).toEqual([range.name, range.name]);
    expect(world.rowOffsets).toEqual([0, 1]);
  });

  describe("when the database has started anew since the first attempt", () => {
    function restarted() {
      const made = aRange([good(0), good(1)]);
      made.world.writer.startedAt = new Date("2100-01-01T00:00:00Z");
      return made;
    }

    it("does not believe the acknowledgement of a repetition whose rows are not there", async () => {
      const { world, ingest, range } = restarted();
      world.writer.keepTokenWithoutRows(range.name);
      world.writer.failures.next(new WriteError("passes_with_time", 0, "killed"));
      await ingest();

      expect(world.writer.inserts).toEqual([range.name, `${range.name}/again-1`]);
      expect(world.rowOffsets).toEqual([0, 1]);
    });

    it("doubles nothing when the rows are there and their token is not, and completes their views", async () => {
      const { world, ingest } = restarted();
      world.writer.failures.next(new WriteError("passes_with_time", 0, "power cut"), "after");
      world.writer.forgetsTokens = true;
      await ingest();

      expect(world.rowOffsets).toEqual([0, 1]);
      expect(world.writer.viewCompletions).toBe(1);
    });

    it("finds the rows by the time of receipt that they bear, though Kafka's timestamps are two hours later", async () => {
      const receivedAt = new Date(CLOCK_START - 5 * 3_600_000);
      const timestampMs = receivedAt.getTime() + 120 * 60_000;
      const late = (n: number) => ({
        ...goodRecord({ reportId: reportId(n), receivedAt }),
        timestampMs,
      });
      const { world, ingest, range } = aRange([late(0), late(1)]);
      world.writer.startedAt = new Date("2100-01-01T00:00:00Z");
      world.writer.failures.next(new WriteError("passes_with_time", 0, "killed"));
      world.writer.failures.next(new Error("It is inserted again and again"), "before", 5);
      await ingest();

      expect(world.writer.inserts).toEqual([range.name]);
      expect(world.rowOffsets).toEqual([0, 1]);
    });

    it("gives up rows that are older than the table keeps them, says so and goes on, and none that it keeps", async () => {
      const expired = goodRecord({ receivedAt: new Date("2020-06-01T00:00:00Z") });
      const { world, ingest, range } = aRange([expired, good(1)]);
      world.writer.startedAt = new Date("2100-01-01T00:00:00Z");
      world.storedReports.expiry = new Date("2020-07-01T00:00:00Z");
      // Whatever its name, an expired row is gone before anyone looks.
      for (const name of ["", "/again-1", "/again-2", "/again-3"])
        world.writer.keepTokenWithoutRows(`${range.name}${name}`, "2020-06");
      world.writer.keepTokenWithoutRows(range.name);
      world.writer.failures.next(new WriteError("passes_with_time", 0, "killed"));
      world.writer.failures.next(new Error("It is inserted again and again"), "before", 8);
      await ingest();

      expect(world.writer.inserts).toEqual([range.name, `${range.name}/again-1`]);
      expect(world.rowOffsets).toEqual([1]);
      expect(world.logger.of("rows_expired")).toMatchObject([{ fields: { rows: 1 } }]);
      expect(world.ledger.entries).toMatchObject([
        { rows: 2, receivedFrom: new Date("2020-06-01T00:00:00Z") },
      ]);
      expect(world.log.committed).toMatchObject({ offset: 2 });
    });

    it("repeats an insert of which nothing is there", async () => {
      const { world, ingest, range } = restarted();
      world.writer.failures.next(new WriteError("passes_with_time", 0, "killed"));
      await ingest();

      expect(world.writer.inserts).toEqual([range.name]);
      expect(world.rowOffsets).toEqual([0, 1]);
      expect(world.writer.viewCompletions).toBe(0);
    });
  });

  describe("when the range was cut longer ago than its name is sure to be remembered", () => {
    const TRUST_MS = 1_000;
    function forgetful() {
      const made = aRange([good(0), good(1)], 1, { tokenTrustMs: TRUST_MS });
      made.world.writer.forgetsTokens = true;
      made.world.ledger.forgetsTokens = true;
      const standStill = () =>
        made.onStep((step) => {
          if (step === "set_aside") made.world.clock.leap(TRUST_MS + 1);
        });
      return { ...made, standStill };
    }
    const linesOf = ({ range }: ReturnType<typeof forgetful>) =>
      buildRowLines(range, range.records).lines;

    it("asks nothing before it inserts a range that it has just cut", async () => {
      const { world, ingest } = forgetful();
      world.storedReports.failures.next(new Crash());
      world.ledger.endFailures.next(new Crash());
      await ingest();

      expect(world.rowOffsets).toEqual([0, 1]);
    });

    it("doubles nothing when the answer to the first attempt was lost and the database was out of reach since", async () => {
      const { world, ingest } = forgetful();
      world.writer.failures.next(new WriteError("passes_with_time", 0, "cut off"), "after");
      world.writer.failures.times(100, new WriteError("passes_with_time", 0, "out of reach"));
      await ingest();

      expect(world.clock.now() - CLOCK_START).toBeGreaterThan(TRUST_MS);
      expect(world.rowOffsets).toEqual([0, 1]);
      expect(world.ledger.entries).toMatchObject([{ rows: 2 }]);
    });

    it("inserts under its name what was never inserted", async () => {
      const { world, ingest, range, standStill } = forgetful();
      standStill();
      await ingest();

      expect(world.writer.inserts).toEqual([range.name]);
      expect(world.rowOffsets).toEqual([0, 1]);
    });

    it("doubles nothing when the process stood still after the intent and a successor has inserted it", async () => {
      const made = forgetful();
      const { world, ingest, range, standStill } = made;
      standStill();
      await world.writer.write(range.name, linesOf(made));
      await ingest();

      expect(world.rowOffsets).toEqual([0, 1]);
      expect(world.writer.viewCompletions).toBe(1);
    });

    it("inserts and books nothing when a successor has booked it, as absent for what it knew", async () => {
      const { world, ingest, range, standStill } = forgetful();
      standStill();
      const counts = { rows: 0, setAside: 0, repeated: 0, absent: 3 };
      const booked = { ...range, name: "lost", last: 2, receivedFrom: null, receivedTo: null };
      await world.ledger.close({ ...booked, ...counts });
      await ingest();

      expect(world.rowOffsets).toEqual([]);
      expect(world.ledger.entries).toMatchObject([{ name: "lost" }]);
      expect(world.logger.of("rows_booked_meanwhile")).toMatchObject([{ fields: { rows: 2 } }]);
    });

    it("inserts what lies behind the ledger's end", async () => {
      const { world, ingest, range, standStill } = forgetful();
      standStill();
      const counts = { rows: 0, setAside: 0, repeated: 0, absent: 1 };
      const booked = { ...range, name: "lost", last: 0, receivedFrom: null, receivedTo: null };
      await world.ledger.close({ ...booked, ...counts });
      await ingest();

      expect(world.rowOffsets).toEqual([1]);
    });
  });

  it("books a range once, though the answer to the first attempt was lost and the database has forgotten its name", async () => {
    const { world, ingest } = aRange([good(0)]);
    world.ledger.forgetsTokens = true;
    world.ledger.failures.next(new WriteError("passes_with_time", 0, "power cut"), "after");
    await ingest();

    expect(world.ledger.entries).toHaveLength(1);
  });

  it("books a range once when the process stood still before it and a successor has booked it", async () => {
    const { world, ingest, range, onStep } = aRange([good(0)], 0, { tokenTrustMs: 1_000 });
    world.ledger.forgetsTokens = true;
    const counts = { rows: 1, setAside: 0, repeated: 0, absent: 0 };
    onStep((step) => {
      if (step !== "inserted") return;
      world.clock.leap(1_001);
      world.ledger.entries.push({ ...range, ...counts, receivedFrom: null, receivedTo: null });
    });
    await ingest();

    expect(world.ledger.entries).toHaveLength(1);
  });

  it("books a range once that a predecessor may have booked a moment ago", async () => {
    const { world, ingest, range } = aRange([good(0)]);
    world.ledger.forgetsTokens = true;
    const counts = { rows: 1, setAside: 0, repeated: 0, absent: 0 };
    await world.ledger.close({ ...range, ...counts, receivedFrom: null, receivedTo: null });
    await ingest({ announced: true, mayBeStored: true });

    expect(world.ledger.entries).toHaveLength(1);
  });

  it("does not insert once its epoch has ended while the database was asked since when it remembers", async () => {
    const { world, ingest, assigned } = aRange([good(0)]);
    world.writer.failures.next(new WriteError("passes_with_time", 0, "cut off"));
    const asked = world.writer.memoryFailures.hold();
    const ingesting = ingest();
    await asked.reached;
    assigned.end();
    asked.release();

    await expect(ingesting).rejects.toThrow(EpochEndedError);
    await nextTurn(3);
    expect(world.writer.inserts).toEqual([]);
  });

  it.each(["deadLetters", "ledger"] as const)(
    "goes on only once %s has taken its part, however often it fails",
    async (part) => {
      const { world, ingest } = aRange([good(0), unreadableRecord()]);
      world[part].failures.times(5, new WriteError("passes_with_time", 210, "away"));
      world[part].failures.next(new WriteError("passes_with_time", 210, "cut off"), "after");
      await ingest();

      expect(world.rowOffsets).toEqual([0]);
      expect(world.deadLetters.offsets).toEqual([1]);
      expect(world.ledger.entries).toHaveLength(1);
    },
  );

  it("counts the attempts to commit that failed", async () => {
    const { range, assigned, parts, world } = aRange([good(0)]);
    const metrics = createConsumerMetrics(new Registry());
    const observer = new Observers([new MetricsObserver(metrics, world.clock)]);
    assigned.commitRetries = 3;
    await ingestRange(range, assigned, { ...parts, observer }, FIRST_TURN);

    expect((await metrics.writeRetries.get()).values).toMatchObject([
      { labels: { operation: "commit", failure: "passes_with_time" }, value: 3 },
    ]);
  });

  it("sets nothing aside when the database refuses rows of which none is at fault", async () => {
    const { world, ingest } = aRange([good(0), good(1)]);
    world.writer.failures.times(4, new WriteError("bad_record", 349, "a view fails"));
    await ingest();

    expect(world.deadLetters.offsets).toEqual([]);
    expect(world.rowOffsets).toEqual([0, 1]);
    expect(world.logger.of("misconfigured").length).toBeGreaterThan(0);
  });

  it("says so of a view that fails after the rows are in place, though the database has only just started", async () => {
    const { world, ingest, range } = aRange([good(0), good(1)]);
    world.writer.startedAt = new Date(world.clock.now() - 10_000);
    world.writer.failures.times(3, new WriteError("bad_record", 395, "a view fails"), "after");
    await ingest();

    expect(world.writer.inserts).toEqual(Array.from({ length: 4 }, () => range.name));
    expect(world.rowOffsets).toEqual([0, 1]);
    expect(world.logger.of("misconfigured").length).toBeGreaterThan(0);
  });

  it("searches anew when the database refuses what the search left over", async () => {
    const { world, ingest } = aRange([refusedRecord(), good(1), refusedRecord()]);
    world.writer.probeFailures.next(new WriteError("passes_with_time", 210, "away"));
    await ingest();

    expect(world.rowOffsets).toEqual([1]);
    expect(world.deadLetters.offsets).toEqual([0, 2]);
  });

  it.each(STEPS)("does nothing behind the step %s once its epoch has ended there", async (last) => {
    const { world, ingest, onStep, assigned } = aRange([good(0), unreadableRecord()]);
    let length = Number.POSITIVE_INFINITY;
    onStep((step) => {
      if (step !== last) return;
      assigned.end();
      length = world.journal.length;
    });

    const ingesting = ingest();

    if (last === "committed") await ingesting;
    else await expect(ingesting).rejects.toThrow(EpochEndedError);
    await nextTurn(3);
    const effects = world.journal.slice(length).filter((line) => !line.startsWith("step"));
    expect(effects).toEqual([]);
  });

  it("commits nothing when its epoch ends while the insert is under way", async () => {
    const { world, ingest, assigned } = aRange([good(0)]);
    const { release } = world.writer.failures.hold();
    const ingesting = ingest();
    await nextTurn(3);
    assigned.end();
    release();

    await expect(ingesting).rejects.toThrow(EpochEndedError);
    await nextTurn();
    expect(world.log.commits).toHaveLength(1);
    expect(world.ledger.entries).toEqual([]);
  });

  it("inserts rows beside those of an earlier insert under a name that this insert did not have", async () => {
    const { world, range, ingest } = aRange([good(0), good(1), good(2)]);
    await ingest({ announced: true, stored: new Set([0, 2]) });

    expect(world.writer.inserts).toEqual([`${range.name}/rest`]);
    expect(world.rowOffsets).toEqual([1]);
  });

  it("sets nothing good aside when the database refuses whatever it is given", async () => {
    const { world, ingest, observer } = aRange([good(0), good(1)]);
    const refusal = new WriteError("bad_record", 117, "Unknown field");
    world.writer.failures.times(3, refusal);
    world.writer.probeFailures.times(3, refusal);
    await ingest();

    expect(observer.badRecords).toEqual([]);
    expect(world.rowOffsets).toEqual([0, 1]);
    expect(world.logger.of("misconfigured")).toHaveLength(1);
  });

  it("sets nothing aside when a code that may be chance comes and goes, and writes again until it is gone", async () => {
    const { world, ingest, observer } = aRange([good(0)]);
    const chance = new WriteError("bad_record", 439, "Cannot schedule a task");
    world.writer.failures.times(2, chance);
    // The control line passes, the range is refused, the control line passes, the record is refused again, then it is taken; and once more.
    for (let time = 0; time < 2; time += 1) {
      world.writer.probeFailures.next(chance, "before", 1);
      world.writer.probeFailures.next(chance, "before", 1);
    }
    await ingest();

    expect(observer.badRecords).toEqual([]);
    expect(world.deadLetters.offsets).toEqual([]);
    expect(world.rowOffsets).toEqual([0]);
    expect(world.logger.of("misconfigured")).toEqual([]);
  });

  it("says nothing of a range any more once its epoch has ended while its records are decoded in a search", async () => {
    const { world, range, assigned, parts } = aRange(
      Array.from({ length: 10_000 }, (_, index) => good(index)),
    );
    const watch = new ProgressWatch(world.clock);
    world.writer.failures.next(new WriteError("bad_record", 469, "refused"));
    // The control line passes, and then the samples do: the search begins.
    const lastLook = world.writer.probeFailures.hold();
    const observed = { ...parts, observer: new Observers([watch]) };
    const ingesting = ingestRange(range, assigned, observed, FIRST_TURN);
    await lastLook.reached;
    lastLook.release();
    setImmediate(() => assigned.end());

    await expect(ingesting).rejects.toThrow(EpochEndedError);
    watch.ended(range.partition);
    await nextTurn(10);
    expect(watch.stalledPartition(0)).toBeNull();
  });

  it("still finds a bad record once a table that refused everything is mended", async () => {
    const { world, ingest } = aRange([good(0), refusedRecord(), good(2)]);
    const refusal = new WriteError("bad_record", 117, "Unknown field");
    world.writer.failures.times(3, refusal);
    world.writer.probeFailures.times(8, refusal);
    await ingest();

    expect(world.deadLetters.offsets).toEqual([1]);
    expect(world.rowOffsets).toEqual([0, 2]);
  });

  it("asks a few questions at a time while a range is held, and searches again once one of its bad records is taken", async () => {
    const { world, ingest } = aRange(
      Array.from({ length: 3_000 }, (_, index) =>
        index % 100 === 7 ? good(index) : refusedRecord(),
      ),
    );
    const probesAt: number[] = [];
    const looks = 20;
    const sleep = world.clock.sleep.bind(world.clock);
    world.clock.sleep = async (ms, signal) => {
      if (ms === 30_000) probesAt.push(world.writer.probes.length);
      // The checks of the table are given up at last.
      if (probesAt.length === looks) world.writer.refuses = () => false;
      await sleep(ms, signal);
    };
    await ingest();

    const [ofSearch = 0, ...later] = probesAt;
    expect(ofSearch).toBeLessThan(4 * 2_001 + 20);
    expect(later).toHaveLength(looks - 1);
    const perLook = later.map((probes, index) => probes - (probesAt[index] ?? 0));
    expect(Math.max(...perLook)).toBeLessThanOrEqual(4);
    expect(world.rowOffsets).toHaveLength(3_000);
    expect(world.deadLetters.offsets).toEqual([]);
  });
});
