import { Readable } from "node:stream";
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from "@clickhouse/client";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { encodeReport, type ReceivedReport } from "@push-reports/report";
import { createLogger, systemClock } from "@push-reports/service-kit";
import {
  aReceivedReport,
  describeWithContainers,
  sharedClickHouse,
  uniqueName,
} from "@push-reports/test-support";
import { ClickHouseReportWriter } from "../../src/clickhouse-report-writer.js";
import { ClickHouseStatements } from "../../src/clickhouse-statements.js";
import { ClickHouseStoredReports } from "../../src/clickhouse-stored-reports.js";
import { migrate, readMigrations, SQL_FOLDER } from "../../src/index.js";
import { LISTED_CODES } from "../../src/insert-failures.js";
import { buildRowLines, selectLines, sliceLines } from "../../src/row-lines.js";

const RETENTION_MONTHS = 600;

const statementOptions = (database: string) => ({
  database,
  maxExecutionSecs: 100,
  insertSettings: [],
  readSettings: [],
});

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
    const values = { database, retentionMonths: RETENTION_MONTHS, deduplicationWindow: 1_000 };
    const logger = createLogger({ service: "test", level: "silent" });
    await migrate(client, readMigrations(SQL_FOLDER), values, logger);
    statements = new ClickHouseStatements(client, statementOptions(database));
    writer = new ClickHouseReportWriter(
      statements,
      { database, source: "test.1", isReplicated: false },
      systemClock,
    );
  });
  afterAll(async () => {
    await client.command({ query: `DROP DATABASE IF EXISTS ${database}` });
    await client.close();
  });

  const linesOf = (source: string, reports: readonly ReceivedReport[]) =>
    buildRowLines(
      { source, partition: 0 },
      reports.map((report, offset) => ({ offset, ...encodeReport(report) })),
    ).lines;
  const lines = (source: string, count: number) =>
    linesOf(
      source,
      Array.from({ length: count }, () => aReceivedReport()),
    );
  const linesAt = (source: string, count: number, receivedAt: (n: number) => Date) =>
    linesOf(
      source,
      Array.from({ length: count }, (_, n) => aReceivedReport({ receivedAt: receivedAt(n) })),
    );
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

  describe("for a client whose blocks are small", () => {
    /** What the server, its profile or a proxy could set; the statement has to win. */
    const clickhouse_settings = {
      max_insert_block_size: "1000",
      use_strict_insert_block_limits: 1,
      max_insert_block_size_bytes: "100000",
      input_format_max_block_size_bytes: "100000",
      min_insert_block_size_rows: "1000",
      min_insert_block_size_bytes: "10000",
      max_partitions_per_insert_block: "3",
      input_format_parallel_parsing: 0,
    } as const;
    /** Settings that make a repeated insert one of its own. */
    const doubling: readonly Record<string, string>[] = [
      { deduplicate_insert: "disable" },
      { insert_deduplicate: "0" },
      { input_format_connection_handling: "1", input_format_max_block_wait_ms: "1" },
    ];
    let small: ClickHouseClient;
    const partsOf = async (source: string) => {
      const [row] = await statements.select<{ parts: string }>(
        `SELECT toString(uniqExact(_part)) AS parts FROM ${database}.reports WHERE source = {source:String}`,
        { source },
      );
      return Number(row?.parts);
    };
    const writerOf = (own: ClickHouseClient) =>
      new ClickHouseReportWriter(
        new ClickHouseStatements(own, statementOptions(database)),
        { database, source: "test.1", isReplicated: false },
        systemClock,
      );

    beforeAll(async () => {
      const { url, user, password } = await sharedClickHouse();
      const log = { level: ClickHouseLogLevel.OFF };
      small = createClient({ url, username: user, password, clickhouse_settings, log });
      for (const table of ["reports", "corrections"])
        await client.command({ query: `SYSTEM STOP MERGES ${database}.${table}` });
    });
    afterAll(async () => {
      for (const table of ["reports", "corrections"])
        await client.command({ query: `SYSTEM START MERGES ${database}.${table}` });
      await small?.close();
    });

    it("makes one block, hence one part a month, of a range", async () => {
      const { bytes } = lines("unpinned", 20_000);
      const unpinned = await small.exec({
        query: `INSERT INTO ${database}.reports FORMAT JSONEachRow`,
        values: Readable.from([bytes], { objectMode: false }),
      });
      for await (const _ of unpinned.stream) {
        // Read to its end, as every answer.
      }
      // Else the test would show nothing.
      expect(await partsOf("unpinned")).toBeGreaterThan(1);

      await writerOf(small).write("large/0/0-19999/t", lines("large", 20_000));
      expect(await partsOf("large")).toBe(1);
    });

    it("inserts nothing for a name that it remembers, whatever its profile says of that", async () => {
      const { url, user, password } = await sharedClickHouse();
      const log = { level: ClickHouseLogLevel.OFF };
      for (const [n, settings] of doubling.entries()) {
        const own = createClient({
          url,
          username: user,
          password,
          clickhouse_settings: settings,
          log,
        });
        const source = `again-${n}`;
        for (const _attempt of ["first", "again"])
          await writerOf(own).write(`${source}/0/0-19999/t`, lines(source, 20_000));
        await own.close();
        expect([settings, await count(source), await partsOf(source)]).toEqual([
          settings,
          20_000,
          1,
        ]);
      }
    });

    it("inserts what a query gives as often as it is told, whatever its profile says of repetitions", async () => {
      const { url, user, password } = await sharedClickHouse();
      const log = { level: ClickHouseLogLevel.OFF };
      for (const deduplicate_insert_select of ["enable_even_for_bad_queries", "force_enable"]) {
        const own = createClient({
          url,
          username: user,
          password,
          clickhouse_settings: { deduplicate_insert_select },
          log,
        });
        const source = `selected-${deduplicate_insert_select}`;
        const selecting = new ClickHouseStatements(own, statementOptions(database));
        const columns = "source, partition, first, kind, rows";
        for (const _attempt of ["first", "again"])
          await selecting.insertSelected(
            "corrections",
            columns,
            "SELECT {source:String}, 0, 0, 'erasure', -1",
            { source },
          );
        await own.close();
        expect([source, await count(source, "corrections")]).toEqual([source, 2]);
      }
    });

    it("takes a range of more than a hundred months", async () => {
      const months = 130;
      const receivedAt = (n: number) => new Date(Date.UTC(2010, n, 15));
      await writerOf(small).write("months/0/0-129/t", linesAt("months", months, receivedAt));
      expect([await count("months"), await partsOf("months")]).toEqual([months, months]);
    });
  });

  it("completes what is missing of a range across months under its name, month by month", async () => {
    const receivedAt = (n: number) => new Date(Date.UTC(2026, n % 3, 15));
    const whole = linesAt("across", 9, receivedAt);
    // What an insert that died between its parts leaves.
    await writer.write(
      "across/0/0-8/t",
      selectLines(whole, (_record, n) => n % 3 === 1),
    );
    expect(await count("across")).toBe(3);
    await writer.write("across/0/0-8/t", whole);
    expect(await count("across")).toBe(9);
    // An insert that arrives late inserts nothing, the whole of it or a month.
    await writer.write("across/0/0-8/t", whole);
    await writer.write(
      "across/0/0-8/t",
      selectLines(whole, (_record, n) => n % 3 === 2),
    );
    expect(await count("across")).toBe(9);
  });

  it("doubles rows of a range that came in parts when the whole follows, so that bad records are found by probing", async () => {
    const whole = lines("split", 100);
    await writer.write("split/0/0-49/t", sliceLines(whole, 0, 50));
    await writer.write("split/0/50-99/t", sliceLines(whole, 50, 100));
    await writer.write("split/0/0-99/t", whole);
    expect(await count("split")).toBe(200);
  });

  it("drops the whole of a range when a part of it came under its name, within one month", async () => {
    const whole = lines("part", 100);
    await writer.write("part/0/0-99/t", sliceLines(whole, 0, 50));
    await writer.write("part/0/0-99/t", whole);
    expect(await count("part")).toBe(50);
  });

  it("shows, while it is at a statement that writes, the word that this bears", async () => {
    const word = "a command's run";
    await statements
      .bearing(word)
      .insertSelected(
        "corrections",
        "source, partition, first, kind, rows",
        "SELECT 'words', 0, 0, 'erasure', count() FROM system.processes WHERE Settings['log_comment'] = {word:String}",
        { word },
      );
    const [row] = await statements.select<{ rows: string }>(
      `SELECT toString(rows) AS rows FROM ${database}.corrections WHERE source = 'words'`,
      {},
    );
    expect(row).toEqual({ rows: "1" });
    expect(await statements.wordsOfRunning([word])).toEqual(new Set());
  });

  it("says by the table itself from when on it keeps rows", async () => {
    const storedReports = new ClickHouseStoredReports(statements, { database, source: "test.1" });
    const now = new Date();
    const before = new Date(now).setUTCMonth(now.getUTCMonth() - RETENTION_MONTHS);
    const marginDays = ((await storedReports.expiredBefore()).getTime() - before) / 86_400_000;
    expect(marginDays).toBeGreaterThan(0);
    expect(marginDays).toBeLessThan(8);
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

  it("has synced what it acknowledges, and remembers equally many inserts, in every table that keeps rows", async () => {
    const tables = await statements.select<{ name: string; engine_full: string }>(
      `SELECT name, engine_full FROM system.tables
       WHERE database = {database:String} AND engine LIKE '%MergeTree' AND name NOT IN ({others:Array(String)})`,
      // Made by the tests above; and what holds nothing of a range: migrations done, and observations that are made again.
      { database, others: ["copies", "strict", "schema_migrations", "freshness"] },
    );
    expect(tables.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["reports", "ledger", "dead_letters", "corrections"]),
    );
    for (const { name, engine_full } of tables)
      for (const setting of [
        "non_replicated_deduplication_window = 1000",
        "fsync_after_insert = 1",
        "fsync_part_directory = 1",
      ])
        expect(`${name}: ${engine_full}`).toContain(setting);
  });

  it("calls every code that we decide by what we call it", async () => {
    const rows = await statements.select<{ code: number; name: string }>(
      "SELECT arrayJoin({codes:Array(UInt32)}) AS code, errorCodeToName(code) AS name",
      { codes: [...LISTED_CODES.keys()] },
    );
    expect(new Map(rows.map(({ code, name }) => [code, name]))).toEqual(LISTED_CODES);
  });
});
