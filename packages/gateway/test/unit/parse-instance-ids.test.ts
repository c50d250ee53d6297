import { describe, expect, it } from "@jest/globals";
import { parseInstanceIds } from "../../src/parse-instance-ids.js";

const ID = "426abfc7-41fe-492f-bcf1-27586fa9bd3f";
const OTHER = "0b0b2b1c-8d9e-4c80-91ba-9b7c4b0b7d1a";

describe("a list of instance ids", () => {
  it("has one a line, in any case, with blank lines and comments between", async () => {
    const text = `# shops\r\n\r\n ${ID.toUpperCase()} # the first\r\n${OTHER}`;
    expect(await parseInstanceIds(text)).toEqual({ ok: true, ids: new Set([ID, OTHER]) });
  });

  it.each([
    ["", "it holds no instance id"],
    ["# nothing yet\n", "it holds no instance id"],
    [`${ID}\nsecret`, "line 2 is no instance id"],
    [`x\n${ID}, ${OTHER}\n`, "lines 1, 2 are no instance id"],
    ["x\n".repeat(9), "lines 1, 2, 3, 4, 5 and others are no instance id"],
    ["00000000-0000-0000-0000-000000000000", "line 1 is no instance id"],
  ])("such as %j is refused, and its fault quotes nothing", async (text, fault) => {
    expect(await parseInstanceIds(text)).toEqual({ ok: false, fault });
  });

  it("lets others have their turn while it is read, however long it is", async () => {
    let turns = 0;
    let isRead = false;
    const others = () => {
      turns += 1;
      if (!isRead) setImmediate(others);
    };
    const reading = Promise.resolve(parseInstanceIds(`${ID}\n`.repeat(100_000)));
    setImmediate(others);
    await reading;
    isRead = true;
    expect(turns).toBeGreaterThanOrEqual(40);
  });
});
