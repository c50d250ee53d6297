import { describe, expect, it } from "@jest/globals";
import { judgeTables } from "../../src/table-contract.js";

const NEEDS = { deduplicationWindow: 20_000, retentionMonths: 13 };

function aTable(name: string, { window = "20000", months = "13", engine = "MergeTree" } = {}) {
  const create = `CREATE TABLE push_reports.${name} (a UInt8) ENGINE = ${engine} ORDER BY a TTL toDateTime(a) + toIntervalMonth(${months}) SETTINGS non_replicated_deduplication_window = ${window}, index_granularity = 8192`;
  return { name, engine, create };
}

const statuses = (tables: Parameters<typeof judgeTables>[0]) =>
  judgeTables(tables, NEEDS).map(({ status }) => status);

describe("the tables", () => {
  it("are well when each remembers enough inserts and keeps rows as long as configured", () => {
    expect(statuses([aTable("reports"), aTable("ledger")])).toEqual(["ok", "ok"]);
  });

  it.each(["0", "19999"])("fail with a deduplication window of %s on any of them", (window) => {
    const [finding] = judgeTables([aTable("reports"), aTable("ledger", { window })], NEEDS);
    expect(finding).toMatchObject({ status: "failed" });
    expect(finding?.detail).toContain(`ledger ${window}`);
  });

  it("fail without any window", () => {
    const create = "CREATE TABLE push_reports.reports (a UInt8) ENGINE = MergeTree ORDER BY a";
    expect(statuses([{ name: "reports", engine: "MergeTree", create }])).toEqual([
      "failed",
      "failed",
    ]);
  });

  it("fail with another TTL", () => {
    expect(statuses([aTable("reports", { months: "1" })])).toEqual(["ok", "failed"]);
  });

  it("take the windows of replicated tables", () => {
    const table = aTable("reports", { engine: "ReplicatedMergeTree" });
    const create = table.create.replace("non_replicated", "replicated");
    expect(statuses([{ ...table, create }])).toEqual(["ok", "ok"]);
  });

  it("leave out what stores no rows of consumers", () => {
    const none = { create: "", engine: "View", name: "ingest_gaps" };
    const migrations = { create: "", engine: "MergeTree", name: "schema_migrations" };
    expect(statuses([aTable("reports"), none, migrations])).toEqual(["ok", "ok"]);
  });
});
