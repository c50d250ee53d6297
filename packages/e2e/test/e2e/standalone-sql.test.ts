import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { waitFor } from "@push-reports/test-support";
import { StandaloneDeployment } from "../support/standalone-deployment.js";

const INSTANCE_ID = "426abfc7-41fe-492f-bcf1-27586fa9bd3f";

/** Runs for minutes unless something ends it. */
const ENDLESS = "SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1";

describe("Standalone's SQL", () => {
  let standalone: StandaloneDeployment;
  beforeAll(async () => {
    standalone = await StandaloneDeployment.start({
      SQL_MAX_EXECUTION_SECS: "20",
      SQL_MAX_MEMORY_BYTES: "268435456",
      SQL_MAX_RESULT_BYTES: "4000000",
      SQL_MAX_QUERIES: "4",
    });
    await report("web-first");
    await waitFor(async () => (await standalone.rows("SELECT 1 FROM reports")).length === 1, {
      what: "the first row",
    });
  });
  afterAll(() => standalone?.dispose());

  const report = (deviceId: string) =>
    standalone.report(INSTANCE_ID, {
      event: "delivery",
      publishId: "pubid-1",
      deviceId,
      timestampSecs: 1_700_000_000,
    });

  it.each(["/ping", "/"])("answers %s as a server that is well", async (path) => {
    const answer = await fetch(`${standalone.sqlUrl}${path}`);

    expect([answer.status, await answer.text()]).toEqual([200, "Ok.\n"]);
  });

  it("takes a query from the address, from the body, and from both together", async () => {
    const asked = (address: string, body?: string) =>
      standalone.ask(body ?? "", address === "" ? {} : { query: address }, {
        method: body === undefined ? "GET" : "POST",
        ...(body === undefined ? { body: null } : { body }),
      });
    const texts = [
      await asked("SELECT 1"),
      await asked("", "SELECT 1;\n"),
      await asked("SELECT", "1"),
    ].map(({ text }) => text);

    expect(texts).toEqual(["1\n", "1\n", "1\n"]);
  });

  it("inflates a compressed query and compresses the answer for those who take that", async () => {
    const { gzipSync } = await import("node:zlib");
    const answer = await standalone.ask(
      "",
      {},
      {
        body: gzipSync("SELECT 'squeezed'"),
        headers: { "content-encoding": "gzip", "accept-encoding": "gzip" },
      },
    );

    expect([answer.text, answer.headers.get("content-encoding")]).toEqual(["squeezed\n", "gzip"]);
  });

  it("writes the format that the statement, the address or a header names, in this order", async () => {
    const askedFor = async (sql: string, params = {}, headers = {}) =>
      (await standalone.ask(sql, params, { headers })).headers;
    const byHeader = { "x-clickhouse-format": "CSV" };

    const answers = [
      await askedFor("SELECT 1 FORMAT JSON", { default_format: "XML" }, byHeader),
      await askedFor("SELECT 1", { default_format: "JSONEachRow" }, byHeader),
      await askedFor("SELECT 1", {}, byHeader),
      await askedFor("SELECT 1"),
    ].map((headers) => [headers.get("x-clickhouse-format"), headers.get("content-type")]);

    expect(answers).toEqual([
      ["JSON", "application/json; charset=UTF-8"],
      ["JSONEachRow", "application/x-ndjson; charset=UTF-8"],
      ["CSV", "text/csv; charset=UTF-8; header=absent"],
      ["TabSeparated", "text/tab-separated-values; charset=UTF-8"],
    ]);
  });

  it("says what the query was, how much it gives and in which time zone", async () => {
    const { headers } = await standalone.ask("SELECT number FROM numbers(10) LIMIT 3", {
      query_id: "my-query",
    });

    expect(headers.get("x-clickhouse-query-id")).toBe("my-query");
    expect(headers.get("x-clickhouse-timezone")).not.toBe("");
    expect(JSON.parse(headers.get("x-clickhouse-summary") ?? "")).toMatchObject({
      result_rows: "3",
    });
  });

  it("takes names without a database from the project's, or from the one that is asked for", async () => {
    const databaseOf = async (params = {}, headers = {}) =>
      (await standalone.ask("SELECT currentDatabase()", params, { headers })).text.trim();

    expect(await databaseOf()).toBe("push_reports");
    expect(await databaseOf({ database: "default" })).toBe("push_reports");
    expect(await databaseOf({ database: "system" })).toBe("system");
    expect(await databaseOf({}, { "x-clickhouse-database": "system" })).toBe("system");
  });

  it("binds parameters, whatever they hold", async () => {
    const { text } = await standalone.ask(
      "SELECT {text:String}, {n:UInt8}, {t:Identifier}.event FROM {t:Identifier}",
      {
        param_text: "a'b\\\\c; DROP TABLE reports --\\n",
        param_n: "7",
        param_t: "reports",
      },
    );

    expect(text).toBe("a\\'b\\\\c; DROP TABLE reports --\\n\t7\tdelivery\n");
  });

  it.each([
    ["SELEC 1", 400, 62],
    ["SELECT 1 FROM", 400, 62],
    ["", 400, 62],
    ["SELECT nope FROM reports", 404, 47],
    ["SELECT * FROM nope", 404, 60],
    ["SELECT nope(1)", 404, 46],
    ["SELECT {x:UInt8}", 500, 456],
    ["SELECT 1 FORMAT Nonsense", 404, 73],
    ["SELECT throwIf(1)", 500, 395],
    ["SELECT toUInt8('x')", 400, 6],
  ])("answers %s with ClickHouse's own error", async (sql, status, code) => {
    const answer = await standalone.ask(sql);

    expect(answer.status).toBe(status);
    expect(answer.headers.get("x-clickhouse-exception-code")).toBe(String(code));
    expect(answer.text).toMatch(
      new RegExp(`^Code: ${code}\\. DB::Exception: .*\\([A-Z_]+\\) \\(version [0-9.]+\\)\n$`, "s"),
    );
    expect(answer.text).not.toContain("formatQuery");
  });

  it("keeps nothing of a query for the next one", async () => {
    await standalone.ask("SELECT 1", { join_use_nulls: "1", param_x: "1" });
    await standalone.ask("SELECT 1 SETTINGS final = 1, session_timezone = 'Asia/Tokyo'");

    const left = await standalone.rows(
      "SELECT getSetting('join_use_nulls') AS a, getSetting('final') AS b, timezone() != 'Asia/Tokyo' AS c",
    );
    expect(left).toEqual([{ a: false, b: false, c: 1 }]);
    expect((await standalone.ask("SELECT {x:UInt8}")).text).toContain("Code: 456");
  });

  it("takes settings of the answer's form, bounds only below its own, and refuses all others", async () => {
    const settingOf = async (name: string, params: Record<string, string>) =>
      (await standalone.ask(`SELECT getSetting('${name}')`, params)).text.trim();

    expect(await settingOf("max_execution_time", { max_execution_time: "1" })).toBe("1");
    expect(await settingOf("max_execution_time", { max_execution_time: "600" })).toBe("20");
    expect(await settingOf("max_execution_time", { max_execution_time: "0" })).toBe("20");
    expect(await settingOf("max_memory_usage", { max_memory_usage: "0" })).toBe("268435456");
    expect(await settingOf("readonly", { readonly: "0" })).toBe("1");
    expect((await standalone.ask("SELECT 1", { output_format_schema: "/tmp/x" })).text).toMatch(
      /^Code: 164/,
    );
    for (const setting of ["max_execution_time = 600", "readonly = 0", "max_memory_usage = 0"])
      expect((await standalone.ask(`SELECT 1 SETTINGS ${setting}`)).text).toMatch(/^Code: 164/);
    expect((await standalone.ask("SELECT 1 SETTINGS max_execution_time = 1")).text).toBe("1\n");
  });

  it("ends a statement that takes too long, too much memory or gives too much", async () => {
    const codeOf = async (sql: string, params = {}) =>
      (await standalone.ask(sql, params)).headers.get("x-clickhouse-exception-code");
    const short = { max_execution_time: "1" };

    expect(await codeOf(ENDLESS, short)).toBe("159");
    expect(await codeOf(`SELECT (${ENDLESS}), (${ENDLESS})`, short)).toBe("159");
    expect(await codeOf("SELECT groupArray(number) FROM numbers(1000000000)")).toBe("241");
    expect(await codeOf("SELECT number FROM numbers(10000000)")).toBe("396");
  });

  it("refuses more statements than it may hold, and takes reports in meanwhile", async () => {
    const asked = Array.from({ length: 6 }, () =>
      standalone.ask(ENDLESS, { max_execution_time: "2" }),
    );
    expect(await report("web-meanwhile")).toBe(200);
    const codes = (await Promise.all(asked)).map(({ headers }) =>
      headers.get("x-clickhouse-exception-code"),
    );

    expect(codes.filter((code) => code === "202").length).toBeGreaterThanOrEqual(2);
    expect(codes.filter((code) => code === "159").length).toBeGreaterThanOrEqual(2);
    expect(codes.filter((code) => code !== "159" && code !== "202")).toEqual([]);
    await waitFor(
      async () =>
        (await standalone.rows("SELECT 1 FROM reports WHERE device_id = 'web-meanwhile'")).length,
      { what: "the row of the report in between" },
    );
  });

  it("ends a statement whose client has gone", async () => {
    const leaving = new AbortController();
    const asked = standalone
      .ask(`SELECT 'of the one who leaves', (${ENDLESS})`, {}, { signal: leaving.signal })
      .catch(() => "gone");
    const isUnderWay = async () => {
      const found = await standalone.rows<{ query: string }>("SELECT query FROM system.processes");
      return found.some(({ query }) => query.startsWith("SELECT 'of the one who leaves'"));
    };
    await waitFor(isUnderWay, { what: "the statement", intervalMs: 10 });
    leaving.abort();

    expect(await asked).toBe("gone");
    await waitFor(async () => !(await isUnderWay()), { what: "its end" });
  });

  it("keeps pages of other sites out", async () => {
    const asked = async (headers: Record<string, string>) =>
      (await standalone.ask("SELECT 1", {}, { headers })).status;

    expect(await asked({ "sec-fetch-site": "cross-site" })).toBe(403);
    expect(await asked({ "sec-fetch-site": "same-origin" })).toBe(200);
  });
});
