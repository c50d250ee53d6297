import { describe, expect, it } from "@jest/globals";
import { engineErrorOf, SqlFault, sqlErrorOf } from "../../src/sql/sql-fault.js";

describe("An error of SQL", () => {
  it("of ours reads like one of ClickHouse", () => {
    expect(sqlErrorOf(new SqlFault("ACCESS_DENIED", "No"), "26.7.2.1")).toEqual({
      code: 497,
      text: "Code: 497. DB::Exception: No. (ACCESS_DENIED) (version 26.7.2.1)",
    });
  });

  it.each([
    "Code: 60. DB::Exception: There is\nno t. (UNKNOWN_TABLE)",
    "Code: 60. DB::Exception: There is\nno t. (UNKNOWN_TABLE) (version 26.7.2.1)",
    "Code: 60. DB::Exception: Code: 60. DB::Exception: There is\nno t. (UNKNOWN_TABLE) (version 26.7.2.1). (UNKNOWN_TABLE) (version 26.7.2.1). (UNKNOWN_TABLE)\n",
  ])("of the engine's is told once: %j", (message) => {
    expect(engineErrorOf(new Error(message), "26.7.2.1")).toEqual({
      code: 60,
      text: "Code: 60. DB::Exception: There is\nno t. (UNKNOWN_TABLE) (version 26.7.2.1)",
    });
  });

  it("of anything else is none of the engine's", () => {
    expect(engineErrorOf(new Error("ENOSPC"), "26.7.2.1")).toBeNull();
  });
});
