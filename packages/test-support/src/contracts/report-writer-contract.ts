import { encodeReport } from "@push-reports/report";
import { jestGlobals } from "../jest-globals.js";
import { aReceivedReport } from "../report-builders.js";
import type { DatabaseUnderTest } from "./database-under-test.js";

const NO_UUID = "00000000-0000-0000-0000-000000000000";
const BAD = { name: "WriteError", failure: "bad_record", clickHouseCode: 469 };

const good = (offset: number) => ({ offset, ...encodeReport(aReceivedReport()) });
/** A report by our contract that the table's checks refuse. */
const refused = (offset: number) => ({
  offset,
  ...encodeReport(aReceivedReport({ instanceId: NO_UUID })),
});

/** Declares the tests that every report writer passes. @param database of this suite alone; each test takes a partition of its own. */
export function reportWriterContract(database: () => DatabaseUnderTest): void {
  const { expect, it } = jestGlobals();
  let partition = 100;
  const aRange = () => {
    partition += 1;
    const { writer, linesOf, rowOffsets } = database();
    const at = partition;
    return {
      name: `range/${at}`,
      writer,
      lines: (records: Parameters<typeof linesOf>[1]) => linesOf(at, records),
      rows: () => rowOffsets(at),
    };
  };

  it("inserts every line", async () => {
    const { writer, name, lines, rows } = aRange();
    await writer.write(name, lines([good(3), good(4), good(9)]));
    expect(await rows()).toEqual([3, 4, 9]);
  });

  it("inserts nothing for a name that it was given before, however often", async () => {
    const { writer, name, lines, rows } = aRange();
    const three = lines([good(0), good(1), good(2)]);
    for (let attempt = 0; attempt < 4; attempt += 1) await writer.write(name, three);
    expect(await rows()).toEqual([0, 1, 2]);
    await writer.write(`${name}/next`, lines([good(3)]));
    expect(await rows()).toEqual([0, 1, 2, 3]);
  });

  it("remembers names since a time that has passed", async () => {
    const since = await database().writer.rememberedSince();
    expect(since.getTime()).toBeLessThanOrEqual(Date.now() + 1_000);
  });

  it("knows the views that rows get into, and that they are still the same", async () => {
    const { writer, name, lines } = aRange();
    const before = await writer.viewsNow();
    expect(before.changedAt.getTime()).toBeLessThanOrEqual(Date.now() + 1_000);
    await writer.write(name, lines([good(0)]));
    expect(await writer.viewsNow()).toEqual(before);
  });

  it("changes no row when it completes the views over them", async () => {
    const { writer, name, lines, rows } = aRange();
    await writer.write(name, lines([good(0), good(1)]));
    await writer.completeViews({
      partition,
      first: 0,
      last: 1,
      receivedFrom: new Date(0),
      receivedTo: new Date("2100-01-01T00:00:00Z"),
    });
    expect(await rows()).toEqual([0, 1]);
  });

  it("takes a name with any characters", async () => {
    const { writer, name, lines, rows } = aRange();
    const odd = `${name}/it's \\ "quoted" {x} \n 'twice'`;
    await writer.write(odd, lines([good(0)]));
    await writer.write(odd, lines([good(0)]));
    expect(await rows()).toEqual([0]);
  });

  it("inserts all or nothing, says when a record is bad, and takes the good ones under the same name", async () => {
    const { writer, name, lines, rows } = aRange();
    const mixed = lines([good(0), refused(1), good(2)]);
    await expect(writer.write(name, mixed)).rejects.toMatchObject(BAD);
    expect(await rows()).toEqual([]);
    await writer.write(name, lines([good(0), good(2)]));
    expect(await rows()).toEqual([0, 2]);
    // Also once it remembers the name: a range that is done again finds its bad record again.
    await expect(writer.write(name, mixed)).rejects.toMatchObject(BAD);
    expect(await rows()).toEqual([0, 2]);
  });

  it("does nothing without lines, and the name is free still", async () => {
    const { writer, name, lines, rows } = aRange();
    await writer.write(name, lines([]));
    await writer.probe(lines([]));
    await writer.write(name, lines([good(0)]));
    expect(await rows()).toEqual([0]);
  });

  it("probes without keeping anything, under no name", async () => {
    const { writer, name, lines, rows } = aRange();
    const two = lines([good(0), good(1)]);
    await writer.probe(two);
    await writer.probe(two);
    await expect(writer.probe(lines([good(0), refused(1)]))).rejects.toMatchObject(BAD);
    expect(await rows()).toEqual([]);
    await writer.write(name, two);
    expect(await rows()).toEqual([0, 1]);
  });
}
