import { describe, expect, it } from "@jest/globals";
import { QuerySlots } from "../../src/sql/query-slots.js";

const NEVER = new AbortController().signal;

/** Work that ends when it is told to. */
function work() {
  let end: (value: string) => void = () => undefined;
  const done = new Promise<string>((resolve) => {
    end = resolve;
  });
  let hasBegun = false;
  const begin = () => {
    hasBegun = true;
    return done;
  };
  return { begin, end, hasBegun: () => hasBegun };
}

describe("Slots of queries", () => {
  it("let the next one run when one has ended, in order", async () => {
    const slots = new QuerySlots({ maxRunning: 1, maxQueries: 3, maxWaitMs: 60_000 });
    const [first, second, third] = [work(), work(), work()];
    const running = [first, second, third].map(({ begin }) => slots.run(NEVER, begin));

    expect([first, second, third].map(({ hasBegun }) => hasBegun())).toEqual([true, false, false]);
    first.end("1");
    expect(await running[0]).toBe("1");
    second.end("2");
    expect(await running[1]).toBe("2");
    third.end("3");
    expect(await running[2]).toBe("3");
  });

  it("refuse one more than they hold, and take one again when there is room", async () => {
    const slots = new QuerySlots({ maxRunning: 1, maxQueries: 1, maxWaitMs: 60_000 });
    const first = work();
    const running = slots.run(NEVER, first.begin);

    await expect(slots.run(NEVER, work().begin)).rejects.toMatchObject({
      code: "TOO_MANY_SIMULTANEOUS_QUERIES",
    });
    first.end("1");
    await running;
    expect(await slots.run(NEVER, async () => "again")).toBe("again");
  });

  it("free their place when the work fails, and when the one who waits goes", async () => {
    const slots = new QuerySlots({ maxRunning: 1, maxQueries: 2, maxWaitMs: 60_000 });
    await expect(slots.run(NEVER, () => Promise.reject(new Error("failed")))).rejects.toThrow(
      "failed",
    );
    const first = work();
    const leaving = new AbortController();
    const running = slots.run(NEVER, first.begin);
    const waiting = slots.run(leaving.signal, work().begin);
    leaving.abort(new Error("gone"));

    await expect(waiting).rejects.toThrow("gone");
    const next = slots.run(NEVER, async () => "next");
    first.end("1");
    expect([await running, await next]).toEqual(["1", "next"]);
  });

  it("let no one wait for longer than the bound", async () => {
    const slots = new QuerySlots({ maxRunning: 1, maxQueries: 2, maxWaitMs: 1 });
    const first = work();
    const running = slots.run(NEVER, first.begin);

    await expect(slots.run(NEVER, work().begin)).rejects.toMatchObject({
      code: "TOO_MANY_SIMULTANEOUS_QUERIES",
    });
    first.end("1");
    await running;
  });
});
