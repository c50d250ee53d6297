import { describe, expect, it } from "@jest/globals";
import { boundNames, sqlToCopy } from "../../src/question.js";

describe("the SQL to copy", () => {
  it("has the values in place of the parameters, quoted so that they stay values", () => {
    const sql = "SELECT {a:UUID}, {b:String}, {n:UInt32}, {a:UUID}";
    expect([...boundNames(sql)]).toEqual(["a", "b", "n"]);
    expect(sqlToCopy(sql, { a: "x", b: "it's \\ '; DROP TABLE t", n: 5 })).toBe(
      "SELECT 'x'::UUID, 'it\\'s \\\\ \\'; DROP TABLE t', 5, 'x'::UUID",
    );
  });
});
