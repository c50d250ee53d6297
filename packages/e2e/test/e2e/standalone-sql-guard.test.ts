import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { StandaloneDeployment } from "../support/standalone-deployment.js";

const SECRET = "the content of a file that nobody may read";
/** What the engine has, as it was judged by people: one name a line. */
const judged = (file: string) =>
  readFileSync(fileURLToPath(new URL(`../fixtures/${file}`, import.meta.url)), "utf8")
    .trim()
    .split("\n");

/** `FILE` is a file with {@link SECRET}, `OUT` one that must not come to be, `WEB` a server that must not be called. */
const FORBIDDEN = `
SELECT 1; DROP TABLE reports
SELECT 1; SELECT 2
SELECT ';'
SELECT 1 /* ; */ ; SELECT 2
; SELECT 1
;
DROP TABLE push_reports.reports
DROP DATABASE push_reports
TRUNCATE TABLE reports
CREATE TABLE t (a Int8) ENGINE = Memory
CREATE TEMPORARY TABLE t (a Int8)
CREATE DATABASE d
CREATE VIEW v AS SELECT 1
CREATE FUNCTION f AS x -> x
CREATE DICTIONARY d (a UInt8) PRIMARY KEY a SOURCE(FILE(PATH 'FILE' FORMAT 'CSV')) LAYOUT(FLAT()) LIFETIME(1)
CREATE NAMED COLLECTION c AS a = 1
CREATE USER u
INSERT INTO reports SELECT * FROM reports
INSERT INTO reports FORMAT JSONEachRow {}
INSERT INTO FUNCTION file('OUT', 'CSV') SELECT 1
INSERT INTO FUNCTION url('WEB', 'CSV') SELECT 1
ALTER TABLE reports DELETE WHERE 1
ALTER TABLE reports ADD COLUMN a Int8
ALTER TABLE reports ATTACH PARTITION 1
DELETE FROM reports WHERE 1
UPDATE reports SET event = 'open' WHERE 1
OPTIMIZE TABLE reports FINAL
RENAME TABLE reports TO r
EXCHANGE TABLES reports AND probe
DETACH TABLE reports
ATTACH TABLE reports
UNDROP TABLE reports
SYSTEM STOP MERGES
SYSTEM SHUTDOWN
SYSTEM RELOAD CONFIG
KILL QUERY WHERE 1
SET max_execution_time = 0
SET readonly = 0
SET ROLE NONE
USE system
GRANT ALL ON *.* TO default
REVOKE ALL ON *.* FROM default
CHECK TABLE reports
BACKUP TABLE reports TO File('OUT')
RESTORE TABLE reports FROM File('FILE')
WATCH reports
BEGIN TRANSACTION
MOVE USER a TO b
SELECT 1 INTO OUTFILE 'OUT'
SELECT 1 INTO OUTFILE 'OUT' TRUNCATE FORMAT CSV
SELECT 1 INTO OUTFILE 'OUT' AND STDOUT
SELECT 1 FORMAT CSV INTO OUTFILE 'OUT'
SELECT 1 UNION ALL SELECT 2 INTO OUTFILE 'OUT'
EXPLAIN SELECT 1 INTO OUTFILE 'OUT'
EXPLAIN AST SELECT 1 INTO OUTFILE 'OUT'
EXPLAIN EXPLAIN SELECT 1 INTO OUTFILE 'OUT'
EXISTS TABLE reports INTO OUTFILE 'OUT'
DESCRIBE TABLE reports INTO OUTFILE 'OUT'
SHOW TABLES INTO OUTFILE 'OUT'
SHOW CREATE TABLE reports INTO OUTFILE 'OUT'
SHOW COLUMNS FROM reports INTO OUTFILE 'OUT'
SHOW FUNCTIONS INTO OUTFILE 'OUT'
EXPLAIN AST DROP TABLE reports
EXPLAIN SYNTAX INSERT INTO reports SELECT * FROM reports
EXPLAIN SELECT * FROM file('FILE')
SELECT 1 PARALLEL WITH DROP TABLE reports
SELECT 1 PARALLEL WITH SELECT 2
EXECUTE AS default SELECT 1
SELECT file('FILE')
SELECT FILE('FILE')
SELECT "file"('FILE')
SELECT file ('FILE')
SELECT file/**/('FILE')
SELECT upper(concat('x', file('FILE')))
SELECT (SELECT (SELECT file('FILE')))
WITH file('FILE') AS x SELECT x
WITH f AS (SELECT file('FILE')) SELECT * FROM f
WITH (x -> file(x)) AS f SELECT f('FILE')
SELECT arrayMap(x -> file(x), ['FILE'])
SELECT * APPLY(file) FROM (SELECT 'FILE' AS a)
SELECT COLUMNS('a') APPLY file FROM (SELECT 'FILE' AS a)
SELECT COLUMNS('a') APPLY(x -> file(x)) FROM (SELECT 'FILE' AS a)
SELECT * REPLACE(file(a) AS a) FROM (SELECT 'FILE' AS a)
SELECT 1 ORDER BY file('FILE')
SELECT 1 GROUP BY file('FILE')
SELECT 1 WHERE file('FILE') != ''
SELECT 1 LIMIT length(file('FILE'))
SELECT 1 LIMIT 1 BY file('FILE')
SELECT number FROM numbers(2) ORDER BY number WITH FILL TO length(file('FILE'))
SELECT number AS x FROM numbers(2) ORDER BY x WITH FILL INTERPOLATE (x AS file('FILE'))
SELECT sum(number) OVER (ORDER BY file('FILE')) FROM numbers(2)
SELECT 1 QUALIFY file('FILE') != ''
SELECT count() FROM numbers(length(file('FILE')))
SELECT * FROM values('a String', (file('FILE')))
SELECT a.1 FROM (SELECT tuple(file('FILE')) AS a)
SELECT 1 FROM reports JOIN system.one ON file('FILE') != ''
SELECT 1 FROM reports ARRAY JOIN [file('FILE')] AS a
SELECT 1 FROM reports PREWHERE file('FILE') != ''
SELECT sumIf(1, file('FILE') != '')
SELECT sum(1) FILTER (WHERE file('FILE') != '')
SHOW TABLES WHERE name = file('FILE')
SHOW TABLES WHERE tuple(COLUMNS('name') APPLY file) != ''
SHOW COLUMNS FROM reports WHERE file('FILE') != ''
SHOW FUNCTIONS WHERE file('FILE') != ''
SHOW SETTINGS WHERE file('FILE') != ''
SHOW DATABASES WHERE name IN (SELECT file('FILE'))
SELECT * FROM file('FILE', 'LineAsString')
SELECT * FROM FILE('FILE')
SELECT * FROM 'FILE'
SELECT * FROM ${"`FILE`"}
SELECT * FROM default.${"`FILE`"}
SELECT 'x' IN default.${"`FILE`"}
SELECT 'x' IN ${"`FILE`"}
DESCRIBE TABLE file('FILE')
DESCRIBE TABLE 'FILE'
DESCRIBE url('WEB')
SELECT * FROM url('WEB', 'LineAsString', 'a String')
SELECT * FROM (SELECT * FROM url('WEB', 'LineAsString', 'a String'))
SELECT 1 IN (SELECT * FROM url('WEB', 'LineAsString', 'a String'))
SELECT 1 UNION ALL SELECT * FROM url('WEB', 'LineAsString', 'a UInt8')
SELECT * FROM s3('WEB/x.csv')
SELECT * FROM s3Cluster('c', 'WEB/x.csv')
SELECT * FROM remote('127.0.0.1', system.one)
SELECT * FROM remoteSecure('127.0.0.1', system.one)
SELECT * FROM cluster('default', system.one)
SELECT * FROM clusterAllReplicas('default', system.one)
SELECT * FROM mysql('127.0.0.1:1', 'a', 'b', 'c', 'd')
SELECT * FROM postgresql('127.0.0.1:1', 'a', 'b', 'c', 'd')
SELECT * FROM mongodb('127.0.0.1:1', 'a', 'b', 'c', 'd')
SELECT * FROM redis('127.0.0.1:1', 'a', 'a String')
SELECT * FROM sqlite('FILE', 't')
SELECT * FROM jdbc('a', 'b')
SELECT * FROM odbc('a', 'b')
SELECT * FROM hdfs('hdfs://127.0.0.1:1/x', 'CSV', 'a String')
SELECT * FROM azureBlobStorage('WEB', 'c', 'b')
SELECT * FROM gcs('WEB/x')
SELECT * FROM deltaLake('WEB/x')
SELECT * FROM iceberg('WEB/x')
SELECT * FROM icebergLocal('FILE')
SELECT * FROM executable('touch OUT', 'CSV', 'a String')
SELECT * FROM filesystem('/')
SELECT * FROM input('a String')
SELECT * FROM format(CSV, 'a')
SELECT * FROM merge('.*', '.*')
SELECT * FROM view(SELECT 1)
SELECT * FROM viewExplain('EXPLAIN', '', (SELECT 1))
SELECT * FROM viewIfPermitted(SELECT 1 ELSE null('a UInt8'))
SELECT * FROM eval('SELECT 1')
SELECT * FROM dictionary('d')
SELECT * FROM loop(system.one)
SELECT * FROM mergeTreeIndex(push_reports, reports)
SELECT * FROM fuzzQuery('SELECT 1')
SELECT * FROM generateRandom('a UInt8')
SELECT * FROM Python('x')
SELECT dictGet('d', 'a', 1)
SELECT joinGet('push_reports.j', 'a', 1)
SELECT sleep(3)
SELECT sleepEachRow(1) FROM numbers(3)
SELECT getClientHTTPHeader('a')
SELECT showCertificate()
SELECT catboostEvaluate('FILE', 1)
SELECT aiGenerate('c', 'x')
SELECT logTrace('x')
SELECT addressToLine(1)
SELECT * FROM system.stack_trace
SELECT * FROM ${"`system`.`stack_trace`"}
SELECT * FROM ${'system."stack_trace"'}
SELECT 1 IN system.stack_trace
SELECT count() FROM system.one WHERE dummy IN (system.stack_trace)
SELECT * FROM system.certificates
SELECT * FROM system.symbols
SELECT * FROM system.remote_data_paths
SELECT * FROM default.t
SELECT * FROM other.t
SHOW GRANTS
SHOW ACCESS
SHOW USERS
SELECT 1 SETTINGS max_execution_time = 0
SELECT 1 SETTINGS max_memory_usage = 0
SELECT 1 SETTINGS readonly = 0
SELECT 1 SETTINGS allow_introspection_functions = 1
SELECT * FROM (SELECT 1 SETTINGS max_execution_time = 0)
SELECT (SELECT 1 SETTINGS max_threads = 1000), (SELECT 1 SETTINGS max_threads = 1)
SELECT 1 SETTINGS final = 1, allow_ddl = 1
SELECT 1 SETTINGS additional_table_filters = {'t': 'x'}, allow_ddl = 1
SELECT 1 SETTINGS max_execution_time = DEFAULT
SELECT 1 SETTINGS max_execution_time = -1
SELECT 1 SETTINGS param_a = 1
SELECT 1 FORMAT Template SETTINGS format_template_row = 'FILE'
SELECT 1 FORMAT Protobuf SETTINGS output_format_schema = 'OUT'
SELECT 1 SETTINGS dialect = 'kusto'
`
  .trim()
  .split("\n");

/** Reads, and must not be refused for the sake of safety. */
const ALLOWED = `
SELECT * FROM reports LIMIT 1
SELECT * FROM push_reports.dead_letters FINAL LIMIT 1
FROM reports SELECT count()
(SELECT 1)
SELECT 1 /* a comment */ -- another
WITH d AS (SELECT device_id FROM reports), 1 AS one SELECT one, count() FROM d
WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT sum(n) FROM t
SELECT event, uniqExact(device_id) FROM reports GROUP BY event WITH TOTALS HAVING count() > 0 ORDER BY event LIMIT 10
SELECT count() FROM reports GROUP BY GROUPING SETS ((event), (publish_id))
SELECT publish_id, countIf(event = 'open') OVER w FROM reports WINDOW w AS (PARTITION BY publish_id ORDER BY received_at ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
SELECT a.event FROM reports AS a ANY LEFT JOIN reports AS b USING (device_id) CROSS JOIN system.one
SELECT 1 FROM reports AS a ASOF JOIN reports AS b ON a.device_id = b.device_id AND a.received_at >= b.received_at
SELECT 1 UNION DISTINCT SELECT 2 INTERSECT SELECT 2 EXCEPT SELECT 3
SELECT device_id FROM reports WHERE device_id IN (SELECT device_id FROM reports) AND event NOT IN ('open')
SELECT quantile(0.5)(offset), quantiles(0.5, 0.9)(offset), argMin(device_id, received_at) FROM reports
SELECT arrayMap(x -> x + 1, [1, 2]), map('a', 1), tuple(1, 'a'), [1, 2][1], CASE WHEN 1 THEN 2 ELSE 3 END
SELECT toStartOfHour(received_at) AS hour, count() FROM reports GROUP BY hour ORDER BY hour WITH FILL STEP INTERVAL 1 HOUR
SELECT * EXCEPT(user_id) REPLACE(upper(device_id) AS device_id) FROM reports
SELECT COLUMNS('.*_id') APPLY(toString) FROM reports
SELECT * FROM numbers(3)
SELECT * FROM values('a UInt8', 1, 2)
SELECT number FROM system.numbers LIMIT 3
SELECT CAST(1 AS String), 1::Nullable(UInt8), toDate('2024-01-01') + INTERVAL 1 DAY
SELECT 'INTO OUTFILE', 'file(''x'')', 'SETTINGS final = 1' AS "url"
SELECT count() FROM reports SETTINGS final = 1, join_use_nulls = 1
SELECT DISTINCT ON (device_id) device_id FROM reports
SELECT device_id FROM reports LIMIT 1 BY device_id
SELECT device_id FROM reports ARRAY JOIN [1, 2] AS n
SELECT device_id FROM reports QUALIFY row_number() OVER (ORDER BY received_at) = 1
SELECT name FROM system.tables WHERE database = 'push_reports'
SELECT table_name FROM information_schema.tables
SELECT * FROM ingest_gaps
SELECT * FROM push_reports.publish_summary(instance = '426abfc7-41fe-492f-bcf1-27586fa9bd3f', received_from = '2024-01-01 00:00:00', received_to = '2024-02-01 00:00:00')
SHOW TABLES
SHOW TABLES FROM push_reports LIKE 'rep%'
SHOW DATABASES
SHOW CREATE TABLE reports
SHOW COLUMNS FROM reports
SHOW INDEX FROM reports
SHOW FUNCTIONS LIKE 'to%'
SHOW SETTINGS LIKE 'max_threads'
SHOW PROCESSLIST
DESCRIBE TABLE reports
DESC (SELECT 1 AS a)
EXISTS TABLE reports
EXISTS DATABASE push_reports
EXPLAIN SELECT count() FROM reports
EXPLAIN indexes = 1, actions = 1 SELECT count() FROM reports
EXPLAIN PIPELINE SELECT count() FROM reports
EXPLAIN ESTIMATE SELECT count() FROM reports
EXPLAIN AST SELECT 1
EXPLAIN SYNTAX SELECT 1
EXPLAIN QUERY TREE SELECT 1
SELECT version(), currentDatabase(), hostName(), timezone(), displayName(), revision()
`
  .trim()
  .split("\n");

describe("Standalone's SQL, read only", () => {
  let standalone: StandaloneDeployment;
  let web: Server;
  let folder: string;
  let tables: string;
  const called: string[] = [];
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "push-reports-guard-"));
    writeFileSync(join(folder, "secret.txt"), SECRET);
    web = createServer((req, res) => {
      called.push(req.url ?? "");
      res.end(SECRET);
    });
    await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
    standalone = await StandaloneDeployment.start({ SQL_MAX_EXECUTION_SECS: "5" });
    tables = await allTables();
  });
  afterAll(async () => {
    await standalone?.dispose();
    web.close();
    rmSync(folder, { recursive: true });
  });

  const allTables = async () =>
    (
      await standalone.ask(
        "SELECT database, name, create_table_query FROM system.tables ORDER BY 1, 2",
      )
    ).text;
  const aimed = (sql: string) =>
    sql
      .replaceAll("FILE(PATH 'FILE'", `FILE(PATH '${join(folder, "secret.txt")}'`)
      .replace(/(?<=['\x60])FILE(?=['\x60])/g, join(folder, "secret.txt"))
      .replace(/\bOUT(?=')/g, join(folder, "out.txt"))
      .replace(/(?<=')WEB/g, `http://127.0.0.1:${(web.address() as AddressInfo).port}`);

  it.each(FORBIDDEN)("refuses %s", async (sql) => {
    const { status, headers, text } = await standalone.ask(aimed(sql));

    expect(status).toBeGreaterThanOrEqual(400);
    // Access denied, read only, several statements, or nothing of that kind is there.
    expect(["497", "164", "62", "60", "47", "46", "36"]).toContain(
      headers.get("x-clickhouse-exception-code"),
    );
    expect(text).not.toContain(SECRET);
    expect(existsSync(join(folder, "out.txt"))).toBe(false);
  });

  it.each([
    ["SELECT * FROM {t:Identifier}", { param_t: "system.stack_trace" }],
    ["SELECT * FROM {d:Identifier}.{t:Identifier}", { param_d: "system", param_t: "stack_trace" }],
    ["SELECT * FROM {d:Identifier}.t", { param_d: "default" }],
    ["SELECT 1 IN {t:Identifier}", { param_t: "system.stack_trace" }],
    ["SELECT * FROM stack_trace", { database: "system" }],
    ["SELECT 1 IN stack_trace", { database: "system" }],
    ["SELECT 1", { "param_a = '1', readonly": "0" }],
    ["SELECT 1", { "readonly = 0, max_threads": "1" }],
    ["SELECT 1", { default_format: "CSV; DROP TABLE reports" }],
    ["SELECT 1", { database: "system`; DROP TABLE reports" }],
    ["SELECT 1", { database: "default`" }],
    ["SELECT 1", { max_execution_time: "1', readonly = '0", log_comment: "'" }],
  ])("refuses or tames %s with %j", async (sql, params: Record<string, string>) => {
    const { status, text } = await standalone.ask(sql, params);

    if (status === 200) expect(text).toBe("1\n");
    else expect(text).toMatch(/^Code: (36|81|497)\./);
  });

  it("refuses a name that looks like a part of the syntax tree", async () => {
    const name = "x (children 1)\n TableExpression (children 1)\n  Function numbers";
    const { text } = await standalone.ask(`SELECT \`${name}\` FROM file('x')`);

    expect(text).toMatch(/^Code: 497/);
  });

  it.each(ALLOWED)("answers %s", async (sql) => {
    const { status, text } = await standalone.ask(sql);

    expect([status, status === 200 ? "" : text]).toEqual([200, ""]);
  });

  it("has called no one, written no file and changed no table by all that", async () => {
    expect(called).toEqual([]);
    expect(readdirSync(folder)).toEqual(["secret.txt"]);
    expect(await allTables()).toBe(tables);
  });

  it.each([
    ["engine-functions.txt", "SELECT DISTINCT name FROM system.functions ORDER BY name"],
    [
      "engine-system-tables.txt",
      "SELECT name FROM system.tables WHERE database = 'system' ORDER BY name",
    ],
  ])(
    "knows everything that the engine has: judge what is new in sql-guard.ts, then add it to %s",
    async (file, sql) => {
      const { text } = await standalone.ask(sql);

      expect(text.trim().split("\n")).toEqual(judged(file));
    },
  );
});
