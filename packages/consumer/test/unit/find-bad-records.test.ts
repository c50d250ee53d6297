import { describe, expect, it } from "@jest/globals";
import { nextTurn } from "@push-reports/test-support";
import fc from "fast-check";
import { findBadRecords, type Probe, refusesEverything } from "../../src/find-bad-records.js";
import { WriteError } from "../../src/report-writer.js";
import { buildRowLines, controlLine, type RowLines } from "../../src/row-lines.js";
import { InMemoryReportWriter } from "../fakes/in-memory-report-writer.js";
import { atOffsets, goodRecord, refusedRecord } from "../fakes/record-builders.js";

const AT = { source: "test.1", partition: 0 };
const linesWith = (count: number, refused: readonly number[]) => {
  const [good, bad] = [goodRecord(), refusedRecord()];
  const isRefused = new Set(refused);
  const records = Array.from({ length: count }, (_, offset) =>
    isRefused.has(offset) ? bad : good,
  );
  return buildRowLines(AT, atOffsets(records)).lines;
};
const CONTROL = controlLine(AT);
/** Searches to the end and gives what is at fault. */
const foundIn = async (lines: RowLines, probe: Probe, enough = Number.POSITIVE_INFINITY) => {
  const pause = async () => undefined;
  const isEnough = (found: readonly unknown[]) => found.length >= enough;
  const bad = await findBadRecords(lines, probe, { isEnough, control: CONTROL, pause });
  if (bad === null) throw new Error("It is not clear what is at fault");
  return bad;
};
const search = async (lines: RowLines) => {
  const writer = new InMemoryReportWriter();
  const bad = await foundIn(lines, (some) => writer.probe(some));
  return { bad, writer, offsets: bad.map(({ record }) => record.offset).sort((a, b) => a - b) };
};

/** Refuses as the database does: with the number of the first row that is at fault, or with another one. */
const naming =
  (writer: InMemoryReportWriter, nameOf: (row: number, rows: number) => number | null) =>
  async (lines: RowLines) => {
    try {
      await writer.probe(lines);
    } catch {
      const isRefused = (text: string) => text.includes('"instance_id":"00000000-');
      const row = lines.bytes.toString().split("\n").findIndex(isRefused) + 1;
      const named = nameOf(row, lines.records.length);
      throw new WriteError("bad_record", 469, "A check was violated", undefined, named);
    }
  };
/** Numbers from 0 to below 1, the same for a seed (mulberry32). */
const randomOf = (seed: number) => {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
};
const anyRefused = fc
  .integer({ min: 1, max: 60 })
  .chain((count) =>
    fc.tuple(fc.constant(count), fc.uniqueArray(fc.nat({ max: count - 1 }), { maxLength: count })),
  );

describe("the search for bad records", () => {
  it("takes three probes for one among 50,000 that the database names", async () => {
    const writer = new InMemoryReportWriter();
    const lines = linesWith(50_000, [31_415]);
    const bad = await foundIn(
      lines,
      naming(writer, (row) => row),
    );

    expect(bad).toMatchObject([{ reason: "refused", record: { offset: 31_415 } }]);
    expect(writer.probes).toEqual([50_000, 1, 49_999]);
  });

  it("takes a few probes a bad record when many are bad and named", async () => {
    const writer = new InMemoryReportWriter();
    const refused = Array.from({ length: 500 }, (_, index) => index * 20 + 3);
    const bad = await foundIn(
      linesWith(10_000, refused),
      naming(writer, (row) => row),
    );

    expect(bad.map(({ record }) => record.offset).sort((a, b) => a - b)).toEqual(refused);
    expect(writer.probes.length).toBeLessThan(4 * 500);
  });

  it("finds exactly those that are refused, whatever rows the database names", async () => {
    await fc.assert(
      fc.asyncProperty(
        anyRefused,
        fc.integer({ min: -2, max: 70 }),
        async ([count, refused], wrong) => {
          const probe = naming(new InMemoryReportWriter(), (row) =>
            wrong % 3 === 0 ? row : wrong,
          );
          const bad = await foundIn(linesWith(count, refused), probe);
          const offsets = bad.map(({ record }) => record.offset).sort((a, b) => a - b);
          expect(offsets).toEqual([...refused].sort((a, b) => a - b));
        },
      ),
    );
  });

  it("ends once it has found enough", async () => {
    const writer = new InMemoryReportWriter();
    const all = Array.from({ length: 1_000 }, (_, offset) => offset);
    const bad = await foundIn(linesWith(1_000, all), (some) => writer.probe(some), 20);
    expect(bad).toHaveLength(20);
    expect(writer.probes.length).toBeLessThan(100);
  });

  it("goes by the order of the log, so that what it finds lies close together", async () => {
    const writer = new InMemoryReportWriter();
    const all = Array.from({ length: 20_000 }, (_, offset) => offset);
    const bad = await foundIn(linesWith(20_000, all), (some) => writer.probe(some), 500);
    const offsets = bad.map(({ record }) => record.offset).sort((a, b) => a - b);
    expect(offsets.filter((offset) => offset < 600).length).toBeGreaterThan(490);
  });

  it("tells a database that refuses everything from records that are bad", async () => {
    const refusing = async () => {
      throw new WriteError("bad_record", 117, "Unknown field");
    };
    const control = controlLine(AT);
    expect(await refusesEverything(linesWith(100, []), control, refusing)).toBe(true);

    const writer = new InMemoryReportWriter();
    const probe = (some: RowLines) => writer.probe(some);
    const all = Array.from({ length: 100 }, (_, offset) => offset);
    expect(await refusesEverything(linesWith(100, all), control, probe)).toBe(false);
    expect(writer.probes).toEqual([1]);

    // A check of the deployment's own that the control line happens to violate.
    const [refusedControl] = [linesWith(1, [0])];
    expect(await refusesEverything(linesWith(100, [5]), refusedControl, probe)).toBe(false);
    expect(await refusesEverything(linesWith(100, all), refusedControl, probe)).toBe(true);
  });

  it("finds one among 50,000 with fewer than 40 probes, and inserts nothing", async () => {
    const { offsets, bad, writer } = await search(linesWith(50_000, [31_415]));

    expect(offsets).toEqual([31_415]);
    expect(bad).toMatchObject([{ reason: "refused", clickHouseCode: 469 }]);
    expect(writer.probes.length).toBeLessThan(40);
    expect(writer.rows).toEqual([]);
  });

  it("finds exactly those that are refused, whichever they are", async () => {
    await fc.assert(
      fc.asyncProperty(anyRefused, async ([count, refused]) => {
        const { offsets } = await search(linesWith(count, refused));
        expect(offsets).toEqual([...refused].sort((a, b) => a - b));
      }),
    );
  });

  it("finds none when the database would take them all", async () => {
    const { bad, writer } = await search(linesWith(1_000, []));

    expect(bad).toEqual([]);
    expect(writer.probes).toEqual([1_000]);
  });

  it("has nothing to ask when there is no record", async () => {
    expect((await search(linesWith(0, []))).writer.probes).toEqual([]);
  });

  it("finds by our own contract what looks like a row and is none", async () => {
    const value = goodRecord().value?.toString() ?? "";
    const shadowed = Buffer.from(`${value.slice(0, -1)},"offset":99}`);
    const lines = buildRowLines(
      AT,
      atOffsets([goodRecord(), { ...goodRecord(), value: shadowed }]),
    ).lines;
    expect(lines.records).toHaveLength(2);

    const { bad, writer } = await search(lines);

    expect(bad).toMatchObject([{ reason: "invalid_field", record: { offset: 1 } }]);
    expect(writer.probes).toEqual([1]);
  });

  it("gives up when a probe fails for another reason", async () => {
    const failure = new WriteError("misconfigured", 60, "No table");

    await expect(
      foundIn(linesWith(3, []), async () => {
        throw failure;
      }),
    ).rejects.toBe(failure);
  });

  it.each([0.3, 0.5, 0.7, 0.95])(
    "sets no good record aside for an unlisted code that comes and goes at %d",
    async (share) => {
      const random = randomOf(4_711);
      const coming: Probe = async () => {
        if (random() < share) throw new WriteError("bad_record", 439, "Cannot schedule a task");
      };
      const pause = async () => undefined;
      const bounds = { isEnough: () => false, control: CONTROL, pause };
      const setAside: unknown[] = [];
      for (let trial = 0; trial < 1_000; trial += 1)
        setAside.push(
          ...((await findBadRecords(linesWith(1 + (trial % 3), []), coming, bounds)) ?? []),
        );
      expect(setAside).toEqual([]);
    },
  );

  it("believes an unlisted code that one record meets again and again, while others pass, over time", async () => {
    const probed: number[] = [];
    const pauses: number[] = [];
    const refusing: Probe = async ({ records }) => {
      probed.push(records.length);
      if (records.some(({ offset, value }) => offset === 5 && value !== CONTROL.records[0]?.value))
        throw new WriteError("bad_record", 1_001, "Somehow");
    };
    const bad = await findBadRecords(linesWith(8, []), refusing, {
      isEnough: () => false,
      control: CONTROL,
      pause: async () => void pauses.push(probed.length),
    });
    expect(bad).toMatchObject([
      { reason: "refused", clickHouseCode: 1_001, record: { offset: 5 } },
    ]);
    expect(pauses).toHaveLength(10);
  });

  it("is not clear when a record that was refused is taken later, or the control line is refused in between", async () => {
    const pause = async () => undefined;
    for (const refusedProbes of [
      [1, 2],
      [1, 3],
    ]) {
      let probes = 0;
      const probe: Probe = async () => {
        probes += 1;
        if (refusedProbes.includes(probes)) throw new WriteError("bad_record", 74, "Cannot read");
      };
      const bounds = { isEnough: () => false, control: CONTROL, pause };
      expect(await findBadRecords(linesWith(1, []), probe, bounds)).toBeNull();
    }
  });

  it("believes a listed code that comes in place of an unlisted one", async () => {
    let probes = 0;
    const probe: Probe = async (some) => {
      probes += 1;
      if (some === CONTROL) return;
      throw new WriteError("bad_record", probes === 1 ? 1_001 : 469, "Somehow");
    };
    expect(await foundIn(linesWith(1, []), probe)).toHaveLength(1);
    expect(probes).toBe(3);
  });

  it("asks several questions beside each other, few at a time", async () => {
    const writer = new InMemoryReportWriter();
    let underWay = 0;
    let most = 0;
    const probe: Probe = async (some) => {
      underWay += 1;
      most = Math.max(most, underWay);
      await nextTurn();
      await writer.probe(some).finally(() => {
        underWay -= 1;
      });
    };
    const refused = Array.from({ length: 200 }, (_, index) => index * 2);
    const bad = await foundIn(linesWith(400, refused), probe);
    expect(bad.map(({ record }) => record.offset).sort((a, b) => a - b)).toEqual(refused);
    expect(most).toBe(4);
    expect(writer.probes.length).toBeLessThanOrEqual(4 * 200);
  });
});
