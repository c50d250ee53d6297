import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ClickHouseClient } from "@clickhouse/client";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { patiently, waitFor } from "@push-reports/test-support";
import { Session } from "chdb";
import { openDatabase } from "../../src/open-database.js";

/** Every character that the forms of a statement, a text or a parameter give a meaning, and some that they do not. */
const ODD_TEXT =
  "it's \"a\" `b` \\ \\n \\' \\\\' \\N {x:String} ;-- /* $$ \0 \b \f \n \r \t \v \u2028 é 漢 😀";

const VALUES: readonly (readonly [type: string, value: unknown])[] = [
  ["String", ODD_TEXT],
  ["String", ""],
  ["String", "\\N"],
  ["String", "NULL"],
  ["String", "'); DROP TABLE t; SELECT ('"],
  ["String", "DEFAULT"],
  ["Nullable(String)", null],
  ["Nullable(String)", ODD_TEXT],
  ["UInt64", 12],
  ["UInt64", 18_446_744_073_709_551_615n],
  ["Int32", -5],
  ["Float64", 0.1],
  ["Float64", 1e-300],
  ["Bool", true],
  ["UUID", "426abfc7-41fe-492f-bcf1-27586fa9bd3f"],
  ["DateTime64(3, 'UTC')", "2026-01-02 03:04:05.678"],
  ["DateTime('UTC')", "2026-01-02 03:04:05"],
  ["Array(String)", [ODD_TEXT, "", "NULL", "\\N"]],
  ["Array(String)", []],
  ["Array(UInt32)", [1, 2, 3]],
  ["Array(DateTime('UTC'))", ["2026-01-02 03:00:00"]],
  ["Identifier", "number"],
];

const FAULTS: readonly (readonly [sql: string, values: Record<string, unknown>])[] = [
  ["SELECT {missing:String}", { other: "1" }],
  ["SELECT {x:UInt8}", { x: "abc" }],
  ["SELECT {x:UInt8}", { x: null }],
  ["SELECT {x:DateTime64(3, 'UTC')}", { x: "2026-01-02T03:04:05Z" }],
  ["SELECT {x:Array(String)}", { x: "['a" }],
  ["SELECT {x:NoSuchType}", { x: "a" }],
  ["SELECT {x:String} FROM missing", { x: "a" }],
  ["SELEC {x:String}", { x: "a" }],
  ["SELECT throwIf({x:UInt8} = 1)", { x: 1 }],
];

describe("The embedded database", () => {
  const path = mkdtempSync(join(tmpdir(), "push-reports-open-database-"));
  let database: ClickHouseClient;
  let other: ClickHouseClient;
  let engine: Session;

  beforeAll(() => {
    [database, other] = [openDatabase(path), openDatabase(path)];
    engine = new Session(path);
  });

  afterAll(async () => {
    await Promise.all([database, other].map((client) => client.close()));
    engine.close();
    rmSync(path, { recursive: true, force: true });
  });

  const answerOf = async (query: string, query_params: Record<string, unknown> = {}) =>
    (await database.query({ query, query_params, format: "TabSeparated" })).text();

  const faultOf = async (query: string, query_params: Record<string, unknown> = {}) => {
    const error: unknown = await answerOf(query, query_params).catch((thrown: unknown) => thrown);
    return (error as { readonly code?: string }).code;
  };

  it.each(VALUES)("takes a %s as the engine itself does: %j", async (type, value) => {
    const sql = `SELECT {x:${type}} AS x, toString(x) FROM numbers(1)`;
    const itsOwn = await engine.queryBindAsync(sql, { x: value }, { format: "TabSeparated" });
    expect(await answerOf(sql, { x: value })).toBe(itsOwn.text());
  });

  it.each(FAULTS)(
    "says of a fault what the engine itself does: %s with %j",
    async (sql, values) => {
      const itsOwn = await engine
        .queryBindAsync(sql, values, { format: "TabSeparated" })
        .catch(String);
      expect(await faultOf(sql, values)).toBe(/Code: (\d+)/.exec(itsOwn as string)?.[1]);
    },
  );

  it("gives back a text byte for byte", async () => {
    const sql = "SELECT {x:String} AS x";
    const answer = await database.query({ query: sql, query_params: { x: ODD_TEXT } });
    expect((await answer.json()).data).toEqual([{ x: ODD_TEXT }]);
  });

  it("takes a value that is longer than a statement may be", async () => {
    const value = "x".repeat(3_000_000);
    expect(await answerOf("SELECT length({x:String})", { x: value })).toBe("3000000\n");
  });

  it.each([new Date(0), Number.NaN, 2 ** 53, [null], {}])("refuses the value %p", async (x) => {
    await expect(answerOf("SELECT {x:String}", { x })).rejects.toThrow(TypeError);
  });

  it("knows no parameter of an earlier statement", async () => {
    expect(await answerOf("SELECT {x:String}, {y:String}", { x: "1", y: "2" })).toBe("1\t2\n");
    expect(await faultOf("SELECT {x:String}")).toBe("456");
    expect(await faultOf("SELECT {x:String}, {y:String}", { x: "3" })).toBe("456");
  });

  it("does what has parameters beside an insert with its rows in the statement", async () => {
    await database.command({
      query: "CREATE TABLE kept (x String) ENGINE = MergeTree ORDER BY x",
    });
    await database.insert({ table: "kept", values: [{ x: "{x:String}" }], format: "JSONEachRow" });
    await database.command({
      query: "INSERT INTO kept SELECT {x:String}",
      query_params: { x: "set" },
    });
    expect(await answerOf("SELECT x FROM kept ORDER BY x")).toBe("set\n{x:String}\n");
  });

  it("answers while another client's statement with parameters runs, and does not run what was left before its turn", async () => {
    await other.command({ query: "CREATE TABLE late (x String) ENGINE = MergeTree ORDER BY x" });
    const long = other
      .command({
        query: "SELECT sleepEachRow({secs:Float64}) FROM numbers(600) SETTINGS max_block_size = 1",
        query_params: { secs: 1 },
      })
      .catch(() => "killed");
    const leaving = new AbortController();
    const left = other.command({
      query: "INSERT INTO late SELECT {x:String}",
      query_params: { x: "left" },
      abort_signal: leaving.signal,
    });
    const stayed = other.command({
      query: "INSERT INTO late SELECT {x:String}",
      query_params: { x: "stayed" },
    });
    const answer = withinBounds(answerOf("SELECT {x:String}", { x: "at once" }));

    expect(await answer).toBe("at once\n");
    leaving.abort();
    await expect(withinBounds(left)).rejects.toThrow("aborted");
    // The order to end it may come before it has begun.
    await waitFor(
      async () => {
        await engine.queryAsync(
          "KILL QUERY WHERE query LIKE 'SELECT sleepEachRow(%' ASYNC FORMAT Null",
        );
        return (await Promise.race([long, Promise.resolve("runs")])) === "killed";
      },
      { what: "the end of the long statement" },
    );
    await stayed;
    expect(await answerOf("SELECT x FROM late")).toBe("stayed\n");
  });

  /** @throws Error when it takes as long as the long statement would. */
  function withinBounds<T>(work: Promise<T>): Promise<T> {
    return Promise.race([
      work,
      new Promise<never>((_, reject) => {
        setTimeout(() => reject(new Error("It waits")), patiently(30_000)).unref();
      }),
    ]);
  }
});
