import { type ClickHouseClient, ClickHouseLogLevel, createClient } from "@clickhouse/client";
import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { encodeReport } from "@push-reports/report";
import { createLogger } from "@push-reports/service-kit";
import {
  aReceivedReport,
  describeWithContainers,
  sharedClickHouse,
  uniqueName,
} from "@push-reports/test-support";
import { ClickHouseReportWriter } from "../../src/clickhouse-report-writer.js";
import { ClickHouseStatements } from "../../src/clickhouse-statements.js";
import { migrate, readMigrations, SQL_FOLDER } from "../../src/index.js";
import { buildRowLines } from "../../src/row-lines.js";

/** What the protocol rests on, asked of the real engine. */
describeWithContainers("ClickHouse, as the protocol needs it,", ["clickhouse"], () => {
  const database = uniqueName("facts").replace(/\W/g, "_");
  let client: ClickHouseClient;
  let statements: ClickHouseStatements;
  let writer: ClickHouseReportWriter;

  beforeAll(async () => {
    const { url, user, password } = await sharedClickHouse();
    client = createClient({
      url,
      username: user,
      password,
      log: { level: ClickHouseLogLevel.OFF },
    });
    const values = { database, retentionMonths: 600, deduplicationWindow: 1_000 };
    const logger = createLogger({ service: "test", level: "silent" });
    await migrate(client, readMigrations(SQL_FOLDER), values, logger);
    statements = new ClickHouseStatements(client, {
      database,
      maxExecutionSecs: 100,
      insertSettings: [],
      readSettings: [],
    });
    writer = new ClickHouseReportWriter(statements);
  });
  afterAll(async () => {
    await client.command({ query: `DROP DATABASE IF EXISTS ${database}` });
    await client.close();
  });

  const lines = (source: string, count: number, overrides = {}) =>
    buildRowLines(
      { source, partition: 0 },
      Array.from({ length: count }, (_, offset) => ({
        offset,
        ...encodeReport(aReceivedReport(overrides)),
      })),
    ).lines;
  const count = async (source: string, table = "reports") => {
    const [row] = await statements.select<{ n: string }>(
      `SELECT toString(count()) AS n FROM ${database}.${table} WHERE source = {source:String}`,
      { source },
    );
    return Number(row?.n);
  };

  it("inserts nothing for a name that it remembers, in a view's target neither", async () => {
    await client.command({
      query: `CREATE TABLE ${database}.copies (source String, offset UInt64) ENGINE = MergeTree ORDER BY offset
              SETTINGS non_replicated_deduplication_window = 1000`,
    });
    await client.command({
      query: `CREATE MATERIALIZED VIEW ${database}.copying TO ${database}.copies AS
              SELECT source, offset FROM ${database}.reports`,
    });
    const rows = lines("again", 1_000);
    await writer.write("again/0/0-999/t", rows);
    await writer.write("again/0/0-999/t", rows);
    expect([await count("again"), await count("again", "copies")]).toEqual([1_000, 1_000]);
    await client.command({ query: `DROP TABLE ${database}.copying` });
  });

  it("completes a view's target on the second attempt when the view failed on the first", async () => {
    await client.command({
      query: `CREATE TABLE ${database}.strict (source String, offset UInt64) ENGINE = MergeTree ORDER BY offset
              SETTINGS non_replicated_deduplication_window = 1000`,
    });
    await client.command({
      query: `CREATE MATERIALIZED VIEW ${database}.failing TO ${database}.strict AS
              SELECT source, offset + throwIf(source = 'half' AND offset = 999) AS offset FROM ${database}.reports`,
    });
    const rows = lines("half", 1_000);
    await expect(writer.write("half/0/0-999/t", rows)).rejects.toMatchObject({
      name: "WriteError",
    });
    await client.command({ query: `DROP TABLE ${database}.failing` });
    await client.command({
      query: `CREATE MATERIALIZED VIEW ${database}.mended TO ${database}.strict AS
              SELECT source, offset FROM ${database}.reports`,
    });
    await writer.write("half/0/0-999/t", rows);
    expect([await count("half"), await count("half", "strict")]).toEqual([1_000, 1_000]);
    await client.command({ query: `DROP TABLE ${database}.mended` });
  });

  it("makes one block, hence one part, of the largest range", async () => {
    // 300,000 rows of more than 1 KB would be two blocks with the server's defaults.
    const rows = lines("large", 50_000, { userId: "u".repeat(500), publishId: "p".repeat(250) });
    await writer.write("large/0/0-49999/t", rows);
    const parts = await statements.select<{ parts: string }>(
      `SELECT toString(uniqExact(_part)) AS parts FROM ${database}.reports WHERE source = {source:String}`,
      { source: "large" },
    );
    expect(parts).toEqual([{ parts: "1" }]);
  });

  it("refuses a row that breaks a constraint, in the probe as in the table, and then keeps none of the insert", async () => {
    const good = lines("mixed", 100);
    const bytes = Buffer.from(
      good.bytes.toString().replace(/"publish_id":"[^"]+"/, '"publish_id":""'),
    );
    const mixed = { ...good, bytes };
    const refusal = { failure: "bad_record", clickHouseCode: 469 };
    await expect(writer.probe(mixed)).rejects.toMatchObject(refusal);
    await expect(writer.write("mixed/0/0-99/t", mixed)).rejects.toMatchObject(refusal);
    expect(await count("mixed")).toBe(0);
    await writer.probe(good);
    expect(await count("mixed")).toBe(0);
  });

  it("refuses unknown keys, nulls and broken JSON rather than filling in defaults", async () => {
    const { bytes, ...rest } = lines("broken", 1);
    const text = bytes.toString();
    for (const broken of [
      text.replace('"event"', '"unknown"'),
      text.replace(/"device_id":"[^"]+"/, '"device_id":null'),
      text.replace('"event":"delivery"', '"event":"click"'),
      text.slice(0, -10),
    ])
      await expect(
        writer.write("broken/0/0-0/t", { ...rest, bytes: Buffer.from(broken) }),
      ).rejects.toMatchObject({ failure: "bad_record" });
    expect(await count("broken")).toBe(0);
  });

  it("says misconfigured, not bad record, for a table that is missing", async () => {
    await expect(
      statements.insert("no_such_table", "t", lines("missing", 1).bytes),
    ).rejects.toMatchObject({ failure: "misconfigured", clickHouseCode: 60 });
  });

  it("refuses a ledger entry whose counts do not add up", async () => {
    const entry = { source: "s", partition: 0, first: 0, last: 9, set_aside: 0, repeated: 0 };
    const row = { ...entry, rows: 9, absent: 0, name: "n", cut_at: "2026-01-01 00:00:00.000" };
    await expect(
      statements.insert("ledger", "t", Buffer.from(`${JSON.stringify(row)}\n`)),
    ).rejects.toMatchObject({ clickHouseCode: 469 });
  });
});
