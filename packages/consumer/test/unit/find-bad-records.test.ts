import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { findBadRecords } from "../../src/find-bad-records.js";
import { WriteError } from "../../src/report-writer.js";
import { buildRowLines, type RowLines } from "../../src/row-lines.js";
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
const search = async (lines: RowLines) => {
  const writer = new InMemoryReportWriter();
  const bad = await findBadRecords(lines, (some) => writer.probe(some));
  return { bad, writer, offsets: bad.map(({ record }) => record.offset).sort((a, b) => a - b) };
};

describe("the search for bad records", () => {
  it("finds one among 50,000 with fewer than 40 probes, and inserts nothing", async () => {
    const { offsets, bad, writer } = await search(linesWith(50_000, [31_415]));

    expect(offsets).toEqual([31_415]);
    expect(bad).toMatchObject([{ reason: "refused", clickHouseCode: 469 }]);
    expect(writer.probes.length).toBeLessThan(40);
    expect(writer.rows).toEqual([]);
  });

  it("finds exactly those that are refused, whichever they are", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc
          .integer({ min: 1, max: 60 })
          .chain((count) =>
            fc.tuple(
              fc.constant(count),
              fc.uniqueArray(fc.nat({ max: count - 1 }), { maxLength: count }),
            ),
          ),
        async ([count, refused]) => {
          const { offsets } = await search(linesWith(count, refused));
          expect(offsets).toEqual([...refused].sort((a, b) => a - b));
        },
      ),
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
      findBadRecords(linesWith(3, []), async () => {
        throw failure;
      }),
    ).rejects.toBe(failure);
  });
});
