import { describe, expect, it } from "@jest/globals";
import { nextTurn } from "@push-reports/test-support";
import type { IngestStep } from "../../src/ingest-observer.js";
import { ingestPartition } from "../../src/ingest-partition.js";
import { LogEndsEarlyError } from "../../src/recover-partition.js";
import { decodeIntent } from "../../src/report-range.js";
import { History, ledgerSums, outcomeOf, type RecordKind } from "../fakes/history.js";
import { Crash, IngestionWorld } from "../fakes/ingestion-world.js";
import { ScriptedObserver } from "../fakes/scripted-observer.js";

const STEPS = [
  "cut",
  "intent_committed",
  "set_aside",
  "inserted",
  "ledger_written",
  "committed",
] as const satisfies readonly IngestStep[];

/** Three ranges of ten records with every kind in each, and a rest. */
const TEN: readonly RecordKind[] = [
  "good",
  "unreadable",
  "good",
  { of: 0 },
  "refused",
  "unwritten_before",
  "good",
  { of: 2 },
  "good",
  "good",
];
const MIXED: readonly RecordKind[] = [...TEN, ...TEN, ...TEN, "good", "unreadable", "good"];

function aWorld(kinds: readonly RecordKind[] = MIXED) {
  const world = new IngestionWorld();
  const history = new History(world);
  history.append(kinds);
  return { world, history };
}

/**
 * Everything is where it belongs. The position may be behind what is complete (a process died between the two), so what comes
 * later has to go on exactly there.
 */
async function expectExactlyOnce(world: IngestionWorld, history: History): Promise<void> {
  expectComplete(world, history);
  history.append(TEN);
  await world.live();
  expectComplete(world, history);
  expect(world.log.committed).toEqual({ offset: world.log.highWatermark, metadata: "" });
}

function expectComplete(world: IngestionWorld, history: History): void {
  const { rows, deadLetters, repeated } = history.outcome;
  expect(outcomeOf(world)).toEqual({ rows, deadLetters });
  expect(ledgerSums(world)).toEqual({
    end: world.log.highWatermark,
    rows: rows.length,
    setAside: deadLetters.length,
    repeated: repeated.length,
    absent: 0,
  });
}

/** Dies when a range is at a step for the `count`-th time. */
function crashAt(wanted: IngestStep, count: number) {
  let left = count;
  return (step: IngestStep) => {
    if (step === wanted) left -= 1;
    if (left === 0) throw new Crash();
  };
}

/** Dies at the step of that number. */
const crashAtNth = (nth: number) => (_step: IngestStep, _range: unknown, count: number) => {
  if (count === nth) throw new Crash();
};

function backAtFirstIntent({ log }: IngestionWorld): void {
  const [first] = log.commits;
  if (first !== undefined) log.commit(first.offset, first.metadata);
}

const rangesOf = (world: IngestionWorld) =>
  world.ledger.entries.map(({ first, last }) => `${first}-${last}`);

describe("the ingestion of a partition", () => {
  it("takes everything that the log holds, range after range", async () => {
    const { world, history } = aWorld();
    await world.live();

    expect(rangesOf(world)).toEqual(["0-9", "10-19", "20-29", "30-32"]);
    expect(world.log.committed).toEqual({ offset: 33, metadata: "" });
    await expectExactlyOnce(world, history);
  });

  it("announces a range together with the commit before it when its records are there", async () => {
    const { world } = aWorld();
    await world.live();

    const announced = world.log.commits.map(
      ({ offset, metadata }) => `${offset}: ${decodeIntent(metadata, 3)?.last ?? "-"}`,
    );
    expect(announced).toEqual(["0: 9", "10: 19", "20: 29", "30: -", "30: 32", "33: -"]);
  });

  it.each([
    { what: "set back by hand", lose: ({ log }: IngestionWorld) => log.commit(4, "") },
    { what: "set to where the ledger ends", lose: ({ log }: IngestionWorld) => log.commit(10, "") },
    { what: "forgotten", lose: ({ log }: IngestionWorld) => log.forgetCommits() },
    { what: "back at an earlier intent", lose: backAtFirstIntent },
  ])(
    "inserts no row again when the intent of an inserted range is lost with commits that are $what",
    async ({ lose }) => {
      for (const maxRecords of [3, 10, 25])
        for (let nth = 1; nth <= 12; nth += 1) {
          const { world, history } = aWorld();
          await world.live({ atStep: crashAt("inserted", 2) });
          lose(world);
          // Whatever step the next one dies at.
          await world.live({ limits: { maxRecords }, atStep: crashAtNth(nth) });
          await world.live();

          await expectExactlyOnce(world, history);
        }
    },
  );

  it("inserts no row again when the inserted range whose intent is lost begins with records that are no rows", async () => {
    for (const kind of ["unreadable", "refused", { of: 0 }] as const)
      for (const maxRecords of [1, 2, 3]) {
        const { world, history } = aWorld([...TEN, kind, kind, kind, ...TEN]);
        await world.live({ atStep: crashAt("inserted", 2) });
        world.log.commit(10, "");
        await world.live({ limits: { maxRecords } });

        await expectExactlyOnce(world, history);
      }
  });

  it("goes on where an earlier process has left", async () => {
    const { world, history } = aWorld();
    await world.live();
    history.append(TEN);
    await world.live({ limits: { maxRecords: 4 } });

    expect(rangesOf(world).slice(4)).toEqual(["33-36", "37-40", "41-42"]);
    await expectExactlyOnce(world, history);
  });

  it.each(STEPS)("loses and doubles nothing when the process dies at the step %s", async (step) => {
    for (const nth of [1, 2, 4]) {
      const { world, history } = aWorld();
      let left = nth;
      const { crashed } = await world.live({
        atStep: (reached) => {
          if (reached === step && --left === 0) throw new Crash();
        },
      });
      expect(crashed).toBe(true);

      await world.live({ limits: { maxRecords: 7 } });

      await expectExactlyOnce(world, history);
    }
  });

  it.each(STEPS)("loses and doubles nothing when the epoch ends at the step %s", async (step) => {
    for (const nth of [1, 2, 4]) {
      const { world, history } = aWorld();
      let left = nth;
      const { crashed } = await world.live({
        atStep: (reached, _range, _count, assigned) => {
          if (reached === step && --left === 0) assigned.end();
        },
      });
      expect(crashed).toBe(false);

      await world.live({ limits: { maxRecords: 7 } });

      await expectExactlyOnce(world, history);
    }
  });

  it.each(
    (["writer", "deadLetters", "ledger"] as const).flatMap((part) =>
      (["before", "after"] as const).map((moment) => [moment, part] as const),
    ),
  )(
    "loses and doubles nothing when the process dies right %s the %s was written",
    async (moment, part) => {
      const { world, history } = aWorld();
      const { crashed } = await world.live({
        atStep: (_step, _range, count) => {
          if (count === 7) world[part].failures.next(new Crash(), moment);
        },
      });
      expect(crashed).toBe(true);

      await world.live({ limits: { maxRecords: 7 } });

      await expectExactlyOnce(world, history);
    },
  );

  it.each(["before", "after"] as const)(
    "loses and doubles nothing when the process dies right %s any of its commits",
    async (moment) => {
      for (const nth of [1, 2, 3, 4, 5, 6]) {
        const { world, history } = aWorld();
        const { crashed } = await world.live({
          prepare: ({ commitFailures }) => commitFailures.next(new Crash(), moment, nth - 1),
        });
        expect(crashed).toBe(true);

        await world.live({ limits: { maxRecords: 7 } });

        await expectExactlyOnce(world, history);
      }
    },
  );

  it("does a range that was under way again exactly as announced, whatever today's limits are", async () => {
    const { world, history } = aWorld();
    await world.live({ atStep: dieAt("inserted") });

    await world.live({ limits: { maxRecords: 3, maxBytes: 1 } });

    await expectExactlyOnce(world, history);
    expect(rangesOf(world).slice(0, 2)).toEqual(["0-9", "10-10"]);
    const [first, again] = world.writer.inserts;
    expect(again).toBe(first);
  });

  it("loses and doubles nothing when an owner's insert arrives after its successor's", async () => {
    const { world, history } = aWorld(Array<RecordKind>(20).fill("good"));
    const held = world.writer.failures.hold();
    const formerOwner = world.live();
    await held.reached;
    await world.live();
    await formerOwner;
    const [first, second, ...more] = world.writer.inserts;
    expect(more).toEqual([]);

    held.release();
    await nextTurn();

    expect(world.writer.inserts).toEqual([first, second, first]);
    await expectExactlyOnce(world, history);
  });

  it.each(["writer", "ledger"] as const)(
    "books and inserts once what was partly there, though its owner's %s is overtaken by a successor that would cut otherwise",
    async (part) => {
      const { world, history } = aWorld();
      await world.live({ atStep: crashAt("inserted", 2) });
      world.log.commit(10, "");
      const held = world[part].failures.hold();
      const formerOwner = world.live({ limits: { maxRecords: 13 } });
      await held.reached;
      await world.live({ limits: { maxRecords: 25 } });
      await formerOwner;
      held.release();
      await nextTurn();

      expect(rangesOf(world).slice(0, 2)).toEqual(["0-9", "10-22"]);
      await expectExactlyOnce(world, history);
    },
  );

  it("books as rows what retention removed, also when whoever was booking it died", async () => {
    const { world } = aWorld(["good", "good", "good", "good", "unreadable"]);
    await world.live({ atStep: dieAt("inserted") });
    world.log.commit(0, "");
    world.log.trimTo(world.log.highWatermark);
    await world.live({ atStep: dieAt("intent_committed") });
    await world.live();

    expect(ledgerSums(world)).toEqual({ end: 5, rows: 4, setAside: 0, repeated: 0, absent: 1 });
  });

  it.each(["an old intent", "a lost intent"])(
    "finds the rows of %s though Kafka's timestamps are two hours from their times of receipt",
    async (what) => {
      for (const awayMs of [-7_200_000, 7_200_000]) {
        const { world, history } = aWorld([]);
        const receivedAt = new Date(world.clock.now() - 10 * 60_000);
        history.append(Array<RecordKind>(20).fill("good"), {
          receivedAt,
          timestampMs: receivedAt.getTime() + awayMs,
        });
        await world.live({ atStep: dieAt("inserted") });
        world.writer.forgetTokens();
        if (what === "an old intent") world.clock.leap(3_600_000);
        else world.log.commit(0, "");

        await world.live({ limits: { maxRecords: 20 } });

        await expectExactlyOnce(world, history);
      }
    },
  );

  it("looks up which rows are there when the range under way is older than its token", async () => {
    const { world, history } = aWorld();
    await world.live({ atStep: dieAt("inserted") });
    world.writer.forgetTokens();
    world.clock.leap(3_600_000);

    await world.live();

    await expectExactlyOnce(world, history);
  });

  it("accounts for what the log lost of a range that was under way", async () => {
    const { world } = aWorld(Array<RecordKind>(20).fill("good"));
    await world.live({ atStep: dieAt("intent_committed") });
    world.log.trimTo(4);

    await world.live();

    expect(world.rowOffsets).toEqual(Array.from({ length: 16 }, (_, n) => n + 4));
    expect(ledgerSums(world)).toMatchObject({ end: 20, rows: 16, absent: 4 });
    expect(world.logger.of("records_absent")).toHaveLength(1);
  });

  it("counts as rows what was inserted before the log lost it", async () => {
    const { world } = aWorld(Array<RecordKind>(20).fill("good"));
    await world.live({ atStep: dieAt("inserted") });
    world.log.trimTo(15);

    await world.live();

    expect(world.rowOffsets).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 18, 19]);
    expect(ledgerSums(world)).toMatchObject({ end: 20, rows: 15, absent: 5 });
  });

  it("goes behind offsets that hold no record and counts them as absent", async () => {
    const { world, history } = aWorld(["good", "good"]);
    world.log.skip(3);
    history.append(["good"]);
    await world.live();

    expect(world.rowOffsets).toEqual([0, 1, 5]);
    expect(ledgerSums(world)).toMatchObject({ end: 6, rows: 3, absent: 3 });
  });

  it("cuts nothing again when the commit was set back", async () => {
    const { world, history } = aWorld();
    await world.live();
    world.log.commit(5, "");
    history.append(TEN);

    await world.live();

    await expectExactlyOnce(world, history);
  });

  it("completes the range in hand when it is halted, and announces no other", async () => {
    const { world } = aWorld();
    const halted = new AbortController();
    const observer = new ScriptedObserver((step) => {
      if (step === "intent_committed") halted.abort();
    });

    await ingestPartition(world.log.assign(), world.parts(observer), halted.signal);

    expect(rangesOf(world)).toEqual(["0-9"]);
    expect(world.log.committed).toEqual({ offset: 10, metadata: "" });
  });

  it("completes an announced range when it is halted right behind the announcement", async () => {
    const { world } = aWorld();
    const halted = new AbortController();
    const observer = new ScriptedObserver((step, { first }) => {
      if (step === "committed" && first === 0) halted.abort();
    });

    await ingestPartition(world.log.assign(), world.parts(observer), halted.signal);

    expect(rangesOf(world)).toEqual(["0-9", "10-19"]);
    expect(world.log.committed).toEqual({ offset: 20, metadata: "" });
  });

  it("does not wait for records when it is halted", async () => {
    const { world } = aWorld([]);
    const halted = new AbortController();
    const ingesting = ingestPartition(
      world.log.assign(),
      world.parts(new ScriptedObserver()),
      halted.signal,
    );
    await nextTurn(3);
    halted.abort();

    await ingesting;
    expect(world.log.commits).toEqual([]);
  });

  it("ends without a word when its epoch ends while it waits for records", async () => {
    const { world } = aWorld([]);
    const assigned = world.log.assign();
    const never = new AbortController().signal;
    const ingesting = ingestPartition(assigned, world.parts(new ScriptedObserver()), never);
    await nextTurn(3);
    assigned.end();

    await ingesting;
  });

  it("fails when the topic is not the one that was read before", async () => {
    const { world } = aWorld();
    await world.live();
    world.log.recreate();

    await expect(world.live()).rejects.toThrow(LogEndsEarlyError);
  });

  it("commits the ledger's end when the commit behind it is lost, though no record follows", async () => {
    const { world } = aWorld(TEN);
    await world.live({ atStep: dieAt("ledger_written") });
    expect(world.log.committed).toMatchObject({ offset: 0 });
    await world.live();

    expect(world.log.committed).toEqual({ offset: 10, metadata: "" });
  });

  it("books as rows, not as lost, what retention removed after it was inserted and its intent was lost", async () => {
    const { world } = aWorld(["good", "good", "good", "good", "unreadable"]);
    await world.live({ atStep: dieAt("inserted") });
    world.log.commit(0, "");
    world.log.trimTo(world.log.highWatermark);
    await world.live();

    expect(ledgerSums(world)).toEqual({ end: 5, rows: 4, setAside: 0, repeated: 0, absent: 1 });
    expect(world.log.committed).toEqual({ offset: 5, metadata: "" });
  });

  it("says where it begins", async () => {
    const { world } = aWorld();
    await world.live({ atStep: dieAt("ledger_written") });
    await world.live();

    expect(world.logger.of("partition_started")).toMatchObject([
      { fields: { partition: 3, cursor: 0, readFrom: 0, underWay: null } },
      { fields: { partition: 3, cursor: 10, readFrom: 10, underWay: null } },
    ]);
  });
});

function dieAt(step: IngestStep) {
  return (reached: IngestStep) => {
    if (reached === step) throw new Crash();
  };
}
