import { describe, expect, it } from "@jest/globals";
import { OneAtATime } from "../../src/one-at-a-time.js";

describe("OneAtATime", () => {
  it("begins a piece of work when the one before is done, whether that went well or not", async () => {
    const turns = new OneAtATime();
    const seen: string[] = [];
    const work = (name: string, end: () => Promise<string>) =>
      turns.run(async () => {
        seen.push(`${name} begins`);
        await Promise.resolve();
        seen.push(`${name} ends`);
        return end();
      });
    const failed = work("first", () => Promise.reject(new Error("no")));
    const done = work("second", async () => "yes");

    await expect(failed).rejects.toThrow("no");
    expect(await done).toBe("yes");
    expect(seen).toEqual(["first begins", "first ends", "second begins", "second ends"]);
  });

  it("does not do what was left before its turn, and goes on with what comes after", async () => {
    const turns = new OneAtATime();
    let end = () => {};
    const first = turns.run(
      () =>
        new Promise<void>((resolve) => {
          end = resolve;
        }),
    );
    const leaving = new AbortController();
    const seen: string[] = [];
    const work = (name: string) => async () => seen.push(name);
    const left = turns.run(work("left"), leaving.signal);
    const leftBefore = turns.run(work("left before"), AbortSignal.abort(new Error("never came")));
    const last = turns.run(work("last"));

    leaving.abort(new Error("gone"));
    await expect(left).rejects.toThrow("gone");
    await expect(leftBefore).rejects.toThrow("never came");
    end();
    await Promise.all([first, last]);
    expect(seen).toEqual(["last"]);
  });

  it("lets work that has begun end when it is left", async () => {
    const turns = new OneAtATime();
    const leaving = new AbortController();
    const done = turns.run(async () => {
      leaving.abort();
      return "done";
    }, leaving.signal);

    expect(await done).toBe("done");
  });
});
