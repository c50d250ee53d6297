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
});
