import { Readable } from "node:stream";
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
import { ClickHouseStatements } from "../../src/clickhouse-statements.js";
import { migrate, readMigrations, SQL_FOLDER } from "../../src/index.js";
import { buildRowLines } from "../../src/row-lines.js";

const MIB = 1_048_576;
/** Makes a line of more than 1 KiB, with its other columns. */
const LONG = "x".repeat(1_000);

/** Blocks of an insert at the size that a range may have, parsed as the server parses by itself. */
describeWithContainers("ClickHouse, asked about blocks of an insert,", ["clickhouse"], () => {
  const database = uniqueName("blocks").replace(/\W/g, "_");
  let client: ClickHouseClient;
  let statements: ClickHouseStatements;

  beforeAll(async () => {
    const { url, user, password } = await sharedClickHouse();
    const log = { level: ClickHouseLogLevel.OFF };
    client = createClient({ url, username: user, password, log });
    const values = { database, retentionMonths: 600, deduplicationWindow: 1_000 };
    const logger = createLogger({ service: "test", level: "silent" });
    await migrate(client, readMigrations(SQL_FOLDER), values, logger);
    statements = new ClickHouseStatements(client, {
      database,
      maxExecutionSecs: 100,
      insertSettings: [],
      readSettings: [],
    });
    await client.command({ query: `SYSTEM STOP MERGES ${database}.reports` });
  });
  afterAll(async () => {
    await client.command({ query: `DROP DATABASE IF EXISTS ${database}` });
    await client.close();
  });

  /** Lines of one report, over and over: only the offset differs. */
  const linesOf = (source: string, count: number, columns: Readonly<Record<string, string>>) => {
    const encoded = encodeReport(aReceivedReport());
    const value = Buffer.from(JSON.stringify({ ...JSON.parse(String(encoded.value)), ...columns }));
    const records = Array.from({ length: count }, (_, offset) => ({ offset, ...encoded, value }));
    return buildRowLines({ source, partition: 0 }, records).lines.bytes;
  };
  const exec = async (query: string, bytes: Buffer) => {
    const values = Readable.from([bytes], { objectMode: false });
    const { stream } = await client.exec({ query, values });
    for await (const _ of stream) {
      // Read to its end, as every answer.
    }
  };
  const stored = async (table: string, source: string) => {
    const [row] = await statements.select<{ rows: string; parts: string }>(
      `SELECT toString(count()) AS rows, toString(uniqExact(_part)) AS parts
       FROM ${database}.${table} WHERE source = {source:String}`,
      { source },
    );
    return { rows: Number(row?.rows), parts: Number(row?.parts) };
  };

  it("makes one part of a range of 64 MiB, and none of its repetition", async () => {
    const count = 62_000;
    const bytes = linesOf("whole", count, { device_id: LONG });
    expect(bytes.length).toBeGreaterThan(64 * MIB);
    for (const _attempt of ["first", "again"]) {
      await statements.insert("reports", "whole/0/0-61999/t", bytes);
      expect(await stored("reports", "whole")).toEqual({ rows: count, parts: 1 });
    }
  });

  it("makes several parts of it when the statement does not say how large a block is", async () => {
    const count = 300_000;
    const bytes = linesOf("unpinned", count, { device_id: LONG });
    await exec(`INSERT INTO ${database}.reports FORMAT JSONEachRow`, bytes);
    const { rows, parts } = await stored("reports", "unpinned");
    expect(rows).toBe(count);
    expect(parts).toBeGreaterThan(1);
  });

  it("inserts nothing for a name that it remembers, of several blocks and in a view's target too", async () => {
    await client.command({
      query: `CREATE TABLE ${database}.copies (source String, offset UInt64) ENGINE = MergeTree ORDER BY offset
              SETTINGS non_replicated_deduplication_window = 1000`,
    });
    await client.command({ query: `SYSTEM STOP MERGES ${database}.copies` });
    await client.command({
      query: `CREATE MATERIALIZED VIEW ${database}.copying TO ${database}.copies AS
              SELECT source, offset FROM ${database}.reports`,
    });
    const bytes = linesOf("several", 10_000, {});
    const insert = () =>
      exec(
        `INSERT INTO ${database}.reports SETTINGS insert_deduplication_token = 'several/0/0-9999/t',
           async_insert = 0, insert_deduplicate = 1, deduplicate_blocks_in_dependent_materialized_views = 1,
           input_format_parallel_parsing = 0, max_insert_block_size = 1000,
           min_insert_block_size_rows = 1000, min_insert_block_size_bytes = 10000
         FORMAT JSONEachRow`,
        bytes,
      );
    const both = async () => [
      await stored("reports", "several"),
      await stored("copies", "several"),
    ];
    await insert();
    const first = await both();
    for (const { rows, parts } of first) {
      expect(rows).toBe(10_000);
      // Else the test would show nothing.
      expect(parts).toBeGreaterThan(1);
    }
    await insert();
    expect(await both()).toEqual(first);
    await client.command({ query: `DROP TABLE ${database}.copying` });
  });

  it("keeps what one view wrote when another view of the insert failed, so that no view may write the ledger", async () => {
    await client.command({
      query: `CREATE TABLE ${database}.arriving (source String, offset UInt64) ENGINE = MergeTree ORDER BY offset`,
    });
    for (const target of ["booked", "refused"])
      await client.command({
        query: `CREATE TABLE ${database}.${target} (source String, rows UInt64) ENGINE = MergeTree ORDER BY source`,
      });
    await client.command({
      query: `CREATE MATERIALIZED VIEW ${database}.a_booking TO ${database}.booked AS
              SELECT source, count() AS rows FROM ${database}.arriving GROUP BY source`,
    });
    await client.command({
      query: `CREATE MATERIALIZED VIEW ${database}.b_failing TO ${database}.refused AS
              SELECT source, offset + throwIf(offset = 9) AS rows FROM ${database}.arriving`,
    });
    const bytes = Buffer.from(
      Array.from({ length: 10 }, (_, offset) => `{"source":"views","offset":${offset}}\n`).join(""),
    );
    await expect(statements.insert("arriving", "views/0/0-9/t", bytes)).rejects.toMatchObject({
      name: "WriteError",
    });
    expect((await stored("refused", "views")).rows).toBe(0);
    expect((await stored("booked", "views")).rows).toBe(1);
  });
});
