import type { LedgerEntry } from "@push-reports/consumer";
import { jestGlobals } from "../jest-globals.js";
import type { DatabaseUnderTest } from "./database-under-test.js";

/** Declares the tests that every ledger passes. @param database of this suite alone; each test takes a partition of its own. */
export function ledgerContract(database: () => DatabaseUnderTest): void {
  const { expect, it } = jestGlobals();
  let partition = 200;
  const aLedger = () => {
    partition += 1;
    const { ledger, source } = database();
    const at = partition;
    const entry = (first: number, last: number, more: Partial<LedgerEntry> = {}): LedgerEntry => ({
      name: `${source}/${at}/${first}-${last}`,
      source,
      partition: at,
      first,
      last,
      cutAt: new Date("2026-01-02T03:04:05.678Z"),
      receivedFrom: new Date("2026-01-02T03:04:03.210Z"),
      receivedTo: new Date("2026-01-02T03:04:04.321Z"),
      rows: last - first + 1,
      setAside: 0,
      repeated: 0,
      absent: 0,
      ...more,
    });
    return {
      entry,
      close: (...entries: readonly LedgerEntry[]) =>
        entries.reduce((before, one) => before.then(() => ledger.close(one)), Promise.resolve()),
      closeAgain: (again: LedgerEntry) => ledger.close(again, { mayBeBooked: true }),
      endFrom: (from: number | null) => ledger.endFrom(at, from),
      rowsAt: (first: number) => database().ledgerRows(at, first),
    };
  };

  it("knows of nothing complete when nothing was booked", async () => {
    const { endFrom } = aLedger();
    expect(await endFrom(null)).toBeNull();
    expect(await endFrom(0)).toBe(0);
    expect(await endFrom(17)).toBe(17);
  });

  it("gives the offset behind what is complete from an offset on", async () => {
    const { entry, close, endFrom } = aLedger();
    await close(entry(0, 9), entry(10, 14), entry(15, 15));
    expect(await endFrom(0)).toBe(16);
    expect(await endFrom(12)).toBe(16);
    expect(await endFrom(15)).toBe(16);
    expect(await endFrom(16)).toBe(16);
    expect(await endFrom(20)).toBe(20);
  });

  it("does not jump over what is not complete", async () => {
    const { entry, close, endFrom } = aLedger();
    await close(entry(0, 9), entry(20, 29), entry(30, 39));
    expect(await endFrom(0)).toBe(10);
    expect(await endFrom(10)).toBe(10);
    expect(await endFrom(15)).toBe(15);
    expect(await endFrom(20)).toBe(40);
  });

  it("begins at the first entry when no offset is known", async () => {
    const { entry, close, endFrom } = aLedger();
    await close(entry(50, 59), entry(60, 69), entry(80, 89));
    expect(await endFrom(null)).toBe(70);
  });

  it("does not depend on the order of booking, nor on ranges that overlap", async () => {
    const { entry, close, endFrom } = aLedger();
    await close(entry(10, 19), entry(0, 9), entry(5, 14), entry(0, 3), entry(20, 24));
    expect(await endFrom(0)).toBe(25);
    expect(await endFrom(7)).toBe(25);
  });

  it("books a range once, however often it is closed", async () => {
    const { entry, close, endFrom } = aLedger();
    const counted = { rows: 4, setAside: 3, repeated: 2, absent: 1 };
    for (let attempt = 0; attempt < 3; attempt += 1) await close(entry(0, 9, counted));
    expect(await endFrom(0)).toBe(10);
  });

  it("books a range once whose name is forgotten, when it is told that it may be booked", async () => {
    const { entry, close, closeAgain, endFrom, rowsAt } = aLedger();
    await close(entry(0, 9), entry(20, 29));
    await database().forgetInserts();
    for (const again of [entry(0, 9), entry(20, 29), entry(10, 19)]) await closeAgain(again);
    expect([await rowsAt(0), await rowsAt(10), await rowsAt(20)]).toEqual([1, 1, 1]);
    expect(await endFrom(0)).toBe(30);
  });

  it("books nothing of a range that is complete under other names, when it is told that it may be booked", async () => {
    const { entry, close, closeAgain, endFrom, rowsAt } = aLedger();
    await close(entry(0, 4), entry(5, 14));
    await closeAgain(entry(0, 9));
    expect([await rowsAt(0), await endFrom(0)]).toEqual([1, 15]);
  });

  it("takes a range of which no record was there", async () => {
    const { entry, close, endFrom } = aLedger();
    await close(entry(0, 4, { rows: 0, absent: 5, receivedFrom: null, receivedTo: null }));
    expect(await endFrom(0)).toBe(5);
  });

  it("books no range whose counts do not add up to its offsets", async () => {
    const { entry, close, endFrom } = aLedger();
    await expect(close(entry(0, 9, { rows: 9 }))).rejects.toMatchObject({ name: "WriteError" });
    expect(await endFrom(0)).toBe(0);
  });

  it("keeps partitions and sources apart", async () => {
    const { entry, close, endFrom } = aLedger();
    const other = aLedger();
    await close(entry(0, 9, { source: "another", name: "another/0-9" }));
    expect(await endFrom(null)).toBeNull();
    await other.close(other.entry(0, 9));
    expect(await endFrom(0)).toBe(0);
    expect(await other.endFrom(0)).toBe(10);
  });

  it("holds offsets beyond 32 bits", async () => {
    const { entry, close, endFrom } = aLedger();
    const far = 2 ** 43;
    await close(entry(far, far + 9), entry(far + 10, far + 10));
    expect(await endFrom(far + 3)).toBe(far + 11);
  });
}
