import { describe, expect, it } from "@jest/globals";
import { WorkTurns } from "../../src/server/work-turns.js";

const SLICE_MS = 10;
const SHARE = 0.25;
const MAX_SLICE_MS = 40;
const MAX_WAIT_MS = 500;

/** Turns on a clock that only work moves, each by `costMs`. */
function aWorld(costMs: number) {
  let nowMs = 0;
  const turns = new WorkTurns(
    { sliceMs: SLICE_MS, share: SHARE, maxSliceMs: MAX_SLICE_MS, maxWaitMs: MAX_WAIT_MS },
    () => nowMs,
  );
  const begun: number[] = [];
  const run = (index: number) =>
    turns.run(async () => {
      begun.push(index);
      nowMs += costMs;
      return index;
    });
  const leap = (ms: number) => {
    nowMs += ms;
  };
  return { turns, begun, run, leap };
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

describe("the turns of work", () => {
  it("begin it at once while there is time", async () => {
    const { begun, run } = aWorld(1);
    const results = [run(0), run(1), run(2)];

    expect(begun).toEqual([0, 1, 2]);
    expect(await Promise.all(results)).toEqual([0, 1, 2]);
  });

  it("take a slice of each turn of the event loop, in order", async () => {
    const { begun, run } = aWorld(4);
    const results = Array.from({ length: 8 }, (_, index) => run(index));
    expect(begun).toEqual([0, 1, 2]);

    await nextTurn();
    expect(begun).toEqual([0, 1, 2, 3, 4, 5]);
    // What comes now has to wait for what waits already.
    const last = run(8);
    expect(begun).toHaveLength(6);

    expect(await Promise.all([...results, last])).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(begun).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it("have a share of turns that something else makes long, up to a bound", async () => {
    const { begun, run, leap } = aWorld(4);
    const results = Array.from({ length: 32 }, (_, index) => run(index));
    expect(begun).toHaveLength(3);
    leap(80 - 12);
    await nextTurn();
    // A quarter of 80 ms is worth five of them.
    expect(begun).toHaveLength(3 + 5);

    leap(1_000);
    await nextTurn();
    expect(begun).toHaveLength(3 + 5 + 10);
    await Promise.all(results);
  });

  it("begin anew at once when all has been done", async () => {
    const { begun, run } = aWorld(SLICE_MS);
    await Promise.all([run(0), run(1)]);
    await nextTurn();
    await nextTurn();
    const work = run(2);

    expect(begun).toEqual([0, 1, 2]);
    await work;
  });

  it("are behind when the first that waits has waited long", async () => {
    const { turns, run, leap } = aWorld(SLICE_MS);
    const works = [run(0), run(1)];
    expect(turns.isBehind).toBe(false);
    leap(MAX_WAIT_MS + 1);
    expect(turns.isBehind).toBe(true);

    await Promise.all(works);
    expect(turns.isBehind).toBe(false);
  });

  it("pass on what fails, and go on", async () => {
    const { turns, run } = aWorld(SLICE_MS);
    const first = run(0);
    const failing = turns.run(async () => {
      throw new Error("no");
    });

    await expect(failing).rejects.toThrow("no");
    expect(await Promise.all([first, run(1)])).toEqual([0, 1]);
  });
});
