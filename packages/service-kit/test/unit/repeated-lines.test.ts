import { describe, expect, it } from "@jest/globals";
import { FakeClock } from "@push-reports/test-support";
import { RepeatedLines } from "../../src/index.js";

describe("lines that are said again and again", () => {
  it("are written at once, then once a minute with how many were left out", async () => {
    const clock = new FakeClock();
    const lines = new RepeatedLines(clock);
    expect([lines.next("a"), lines.next("a"), lines.next("b"), lines.next("a")]).toEqual([
      {},
      null,
      {},
      null,
    ]);
    await clock.advance(59_999);
    expect(lines.next("a")).toBeNull();
    await clock.advance(1);
    expect([lines.next("a"), lines.next("a"), lines.next("b")]).toEqual([{ leftOut: 3 }, null, {}]);
    await clock.advance(600_000);
    expect(lines.next("a")).toEqual({ leftOut: 1 });
  });

  it("are bounded in number when each differs, and go on a minute later", async () => {
    const clock = new FakeClock();
    const lines = new RepeatedLines(clock);
    const written = () =>
      Array.from({ length: 1_000 }, () => lines.next(String(Math.random()))).filter(
        (fields) => fields !== null,
      ).length;
    expect([written(), written()]).toEqual([50, 0]);
    await clock.advance(60_000);
    expect(written()).toBe(50);
  });

  it("are all counted, those too that were too many different ones", async () => {
    const clock = new FakeClock();
    const lines = new RepeatedLines(clock);
    let [said, told] = [0, 0];
    const say = (line: string) => {
      said += 1;
      const fields = lines.next(line);
      if (fields !== null) told += 1 + (fields.leftOut ?? 0) + (fields.othersLeftOut ?? 0);
      return fields;
    };
    for (let n = 0; n < 70; n += 1) say(`first ${n}`);
    say("first 3");
    expect([said, told]).toEqual([71, 50]);
    await clock.advance(60_000);
    for (let n = 0; n < 50; n += 1) say(`second ${n}`);
    expect([said, told]).toEqual([121, 121]);
    expect(say("third")).toBeNull();
    await clock.advance(60_000);
    expect(say("second 0")).toEqual({ othersLeftOut: 1 });
  });

  it("are written at once when they begin anew, with those that were left out before", () => {
    const lines = new RepeatedLines(new FakeClock());
    expect([lines.next("a"), lines.next("a"), lines.next("b")]).toEqual([{}, null, {}]);
    lines.end("a");
    lines.end("c");
    expect([lines.next("a"), lines.next("b")]).toEqual([{ leftOut: 1 }, null]);
  });
});
