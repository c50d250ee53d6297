import { describe, expect, it } from "@jest/globals";
import { expectExactlyOnce } from "../support/exactly-once.js";

const LOAD = {
  instanceId: "i",
  reports: [
    { deviceId: "a", status: 200, endedAt: 0 },
    { deviceId: "b", status: 200, endedAt: 0 },
    { deviceId: "c", status: 503, endedAt: 0 },
  ],
};

/** A database whose consumer looks at the log's end once a turn; after some looks what was left there is ingested. */
function aDatabase(rows: string[], left: { readonly after: number; readonly rows: string[] }) {
  let looks = 0;
  return async <T>(sql: string): Promise<readonly T[]> => {
    if (sql.includes("FROM reports")) {
      const counts = new Map<string, number>();
      for (const deviceId of rows) counts.set(deviceId, (counts.get(deviceId) ?? 0) + 1);
      return [...counts].map(([device_id, n]) => ({ device_id, n: String(n) })) as T[];
    }
    looks += 1;
    if (looks === left.after) rows.push(...left.rows.splice(0));
    const observed = String(looks === 1 ? 0 : Date.now());
    return [{ known: "1", partitions_of_all: 1, lag: left.rows.length, observed }] as T[];
  };
}

describe("expecting every report exactly once", () => {
  it("sees a double that is ingested after all rows are there", async () => {
    const database = aDatabase(["a", "b"], { after: 2, rows: ["b"] });
    await expect(expectExactlyOnce(LOAD, database)).rejects.toThrow("doubled");
  });

  it("sees a double of what was refused", async () => {
    const database = aDatabase(["a", "b"], { after: 2, rows: ["c", "c"] });
    await expect(expectExactlyOnce(LOAD, database)).rejects.toThrow("doubled");
  });

  it("is content when what was left is one row of what was refused", async () => {
    const database = aDatabase(["a", "b"], { after: 2, rows: ["c"] });
    expect(await expectExactlyOnce(LOAD, database)).toBe(2);
  });
});
