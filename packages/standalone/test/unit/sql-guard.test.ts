import { describe, expect, it } from "@jest/globals";
import { judgeTree, judgeWords, singleStatement } from "../../src/sql/sql-guard.js";

/** The tree of `SELECT 1 FROM <table>`, or with something else where the table stands. */
const treeFrom = (table: string) => [
  "SelectWithUnionQuery (children 1)",
  " ExpressionList (children 1)",
  "  SelectQuery (children 2)",
  "   ExpressionList (children 1)",
  "    Literal UInt64_1",
  "   TablesInSelectQuery (children 1)",
  "    TablesInSelectQueryElement (children 1)",
  "     TableExpression (children 1)",
  `      ${table}`,
];

describe("What may be asked", () => {
  it.each(["SELECT 1", " SELECT 1 ;\n", "SELECT 1\t;"])("is one statement: %j", (sql) => {
    expect(singleStatement(sql)).toBe("SELECT 1");
  });

  it.each(["", " ; ", "SELECT 1;;", "SELECT 1; SELECT 2", "SELECT ';'", "SELECT 1\0"])(
    "is not %j",
    (sql) => {
      expect(() => singleStatement(sql)).toThrow(expect.objectContaining({ code: "SYNTAX_ERROR" }));
    },
  );

  it.each([
    "SELECT file('x')",
    "SELECT * APPLY file",
    "SELECT * APPLY (x -> File(x))",
    "SELECT 1\nINTO OUTFILE 'x'",
    "SHOW TABLES WHERE name = 'x'",
  ])("has no words like %j", (formatted) => {
    expect(() => judgeWords(formatted)).toThrow(expect.objectContaining({ code: "ACCESS_DENIED" }));
  });

  it.each([
    "TableIdentifier reports",
    "TableIdentifier push_reports.reports (alias r)",
    "TableIdentifier system.tables",
    "Function numbers (children 1)",
    "Function push_reports.publish_summary (children 1)",
  ])("reads from %s", (table) => {
    expect(() => judgeTree(treeFrom(table), "push_reports", "push_reports")).not.toThrow();
  });

  it.each([
    ["TableIdentifier default./etc/passwd", "push_reports"],
    ["TableIdentifier other.reports", "push_reports"],
    ["TableIdentifier system.stack_trace", "push_reports"],
    ["TableIdentifier stack_trace", "system"],
    ["Function url (children 1)", "push_reports"],
    ["Function FILE (alias numbers) (children 1)", "push_reports"],
    ["SomethingNew (children 1)", "push_reports"],
    ["Identifier system.stack_trace", "push_reports"],
  ])("does not read from %s in %s", (table, current) => {
    expect(() => judgeTree(treeFrom(table), "push_reports", current)).toThrow(
      expect.objectContaining({ code: "ACCESS_DENIED" }),
    );
  });

  it.each([
    ["InsertQuery (children 1)"],
    ["ParallelWithQuery 2 SelectWithUnionQuery (children 2)"],
    ["Set"],
    ["ExpressionList (children 1)"],
    [""],
    ["SelectWithUnionQuery (children 2)", " ExpressionList (children 1)", " Literal '/tmp/out'"],
    ["Explain EXPLAIN AST (children 1)", " DropQuery  reports (children 1)"],
  ])("has no tree like %j", (...lines) => {
    expect(() => judgeTree(lines, "push_reports", "push_reports")).toThrow(
      expect.objectContaining({ code: "ACCESS_DENIED" }),
    );
  });
});
