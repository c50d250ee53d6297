import { describe, expect, it } from "@jest/globals";
import { CLOCK_START, FakeClock } from "@push-reports/test-support";
import { InsertPacer } from "../../src/insert-pacer.js";

describe("the pace of inserts", () => {
  it("lets no second hold more than allowed, whoever asks", () => {
    const pacer = new InsertPacer(new FakeClock(), 10);
    const turns = Array.from({ length: 45 }, () => pacer.reserve());
    for (const turn of turns)
      expect(
        turns.filter((other) => other >= turn && other < turn + 1_000).length,
      ).toBeLessThanOrEqual(10);
    expect(turns.slice(0, 10).every((turn) => turn === CLOCK_START)).toBe(true);
    expect(turns.at(-1)).toBe(CLOCK_START + 4_000);
  });

  it("gives a turn at once when little was inserted lately", async () => {
    const clock = new FakeClock();
    const pacer = new InsertPacer(clock, 2);
    expect([pacer.reserve(), pacer.reserve(), pacer.reserve()]).toEqual([
      CLOCK_START,
      CLOCK_START,
      CLOCK_START + 1_000,
    ]);
    await clock.advance(5_000);
    expect(pacer.reserve()).toBe(clock.now());
  });

  it("counts full inserts, which wait for no turn, without putting turns off for long", () => {
    const pacer = new InsertPacer(new FakeClock(), 10);
    for (let full = 0; full < 1_000; full += 1) pacer.took();
    expect(pacer.reserve()).toBe(CLOCK_START + 1_000);
  });
});
