import type { ClickHouseClient } from "@clickhouse/client";
import { createLogger, systemClock } from "@push-reports/service-kit";
import { type DatabaseUnderTest, uniqueName } from "@push-reports/test-support";
import { ClickHouseDeadLetters } from "../../src/clickhouse-dead-letters.js";
import { ClickHouseJudgedRecords } from "../../src/clickhouse-judged-records.js";
import { ClickHouseLedger } from "../../src/clickhouse-ledger.js";
import { ClickHouseReportWriter } from "../../src/clickhouse-report-writer.js";
import { ClickHouseStatements } from "../../src/clickhouse-statements.js";
import { ClickHouseStoredReports } from "../../src/clickhouse-stored-reports.js";
import { migrate, readMigrations, SQL_FOLDER } from "../../src/index.js";
import { buildRowLines } from "../../src/row-lines.js";

const bytesOf = (base64: string | null) => (base64 === null ? null : Buffer.from(base64, "base64"));

/** A migrated database of its own behind a client, which goes with it. */
export async function clickHouseUnderTest(client: ClickHouseClient): Promise<DatabaseUnderTest> {
  const database = uniqueName("contract").replace(/\W/g, "_");
  const source = `${database}.1`;
  await migrate(
    client,
    readMigrations(SQL_FOLDER),
    { database, retentionMonths: 600, deduplicationWindow: 1_000 },
    createLogger({ service: "test", level: "silent" }),
  );
  const statements = new ClickHouseStatements(client, {
    database,
    maxExecutionSecs: 100,
    insertSettings: [],
    readSettings: [],
  });
  const at = { database, source };
  return {
    source,
    writer: new ClickHouseReportWriter(statements, { ...at, isReplicated: false }, systemClock),
    ledger: new ClickHouseLedger(statements, at),
    storedReports: new ClickHouseStoredReports(statements, at),
    deadLetters: new ClickHouseDeadLetters(statements),
    judgedRecords: new ClickHouseJudgedRecords(statements, at, systemClock),
    linesOf: (partition, records) => buildRowLines({ source, partition }, records).lines,
    rowOffsets: async (partition) => {
      const rows = await statements.select<{ offset: string }>(
        `SELECT toString(offset) AS offset FROM ${database}.reports
         WHERE source = {source:String} AND partition = {partition:UInt32} ORDER BY reports.offset`,
        { source, partition },
      );
      return rows.map(({ offset }) => Number(offset));
    },
    keptDeadLetters: async (partition) => {
      const letters = await statements.select<{
        offset: string;
        reason: string;
        key_base64: string | null;
        value_base64: string | null;
        headers_base64: Readonly<Record<string, string>>;
      }>(
        `SELECT toString(offset) AS offset, reason, key_base64, value_base64, headers_base64
         FROM ${database}.dead_letters FINAL
         WHERE source = {source:String} AND partition = {partition:UInt32} ORDER BY dead_letters.offset`,
        { source, partition },
      );
      return letters.map(({ offset, reason, key_base64, value_base64, headers_base64 }) => ({
        offset: Number(offset),
        reason,
        key: bytesOf(key_base64),
        value: bytesOf(value_base64),
        headers: Object.fromEntries(
          Object.entries(headers_base64).map(([name, text]) => [name, Buffer.from(text, "base64")]),
        ),
      }));
    },
    ledgerRows: async (partition, first) => {
      const [row] = await statements.select<{ n: string }>(
        `SELECT toString(count()) AS n FROM ${database}.ledger
         WHERE source = {source:String} AND partition = {partition:UInt32} AND first = {first:UInt64}`,
        { source, partition, first },
      );
      return Number(row?.n);
    },
    forgetInserts: async () => {
      for (const table of ["reports", "ledger", "dead_letters"])
        for (const window of [0, 1_000])
          await client.command({
            query: `ALTER TABLE ${database}.${table} MODIFY SETTING non_replicated_deduplication_window = ${window}`,
          });
    },
    close: async () => {
      await client.command({ query: `DROP DATABASE IF EXISTS ${database}` });
      await client.close();
    },
  };
}
