import { describe, expect, it } from "@jest/globals";
import { FakeClock } from "@push-reports/test-support";
import { failed, ok, warning } from "../../src/finding.js";
import { lookAgain } from "../../src/look-again.js";

const FAILED = failed("tables", "missing.", "run migrate.");
const FINE = [ok("tables", "all are there."), warning("disk", "15 % free.", "add space.")];

describe("doctor, told to wait", () => {
  it("looks again until nothing is failed; a warning is not", async () => {
    const clock = new FakeClock();
    const looks = [[FAILED], [FAILED], FINE, [FAILED]];
    const looking = lookAgain(async () => looks.shift() ?? [], 60_000, clock);

    await clock.advance(60_000);

    expect(await looking).toEqual(FINE);
    expect(looks).toEqual([[FAILED]]);
  });

  it("gives up when its time is over, with what it found last", async () => {
    const clock = new FakeClock();
    let looks = 0;
    const looking = lookAgain(
      async () => {
        looks += 1;
        return [FAILED];
      },
      10_000,
      clock,
    );

    await clock.advance(10_000);

    expect(await looking).toEqual([FAILED]);
    expect(looks).toBeGreaterThan(2);
  });

  it("looks once when it is to wait for nothing", async () => {
    expect(await lookAgain(async () => [FAILED], 0, new FakeClock())).toEqual([FAILED]);
  });
});
