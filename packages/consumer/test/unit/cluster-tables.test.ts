import { describe, expect, it } from "@jest/globals";
import { onCluster } from "../../src/cluster-tables.js";
import { MigrationError } from "../../src/migration-error.js";
import { readMigrations, statementsFor } from "../../src/migrations.js";
import { SQL_FOLDER } from "../../src/sql-folder.js";

const VALUES = {
  database: "reports_db",
  retentionMonths: 13,
  deduplicationWindow: 20_000,
  cluster: "main",
};

describe("a statement on a cluster", () => {
  it("makes a replicated table at a path that a later replica finds again, and a table over all replicas", () => {
    const statement = `-- Why it is there.
CREATE TABLE IF NOT EXISTS db.t
(
    a String COMMENT 'ENGINE = MergeTree is only a word here'
)
ENGINE = MergeTree
ORDER BY a
SETTINGS
    non_replicated_deduplication_window = 20000,
    fsync_after_insert = 1
COMMENT 'x'`;

    expect(onCluster(statement, "main")).toEqual([
      `CREATE TABLE IF NOT EXISTS db.t ON CLUSTER 'main'
(
    a String COMMENT 'ENGINE = MergeTree is only a word here'
)
ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/db/t', '{replica}')
ORDER BY a
SETTINGS
    replicated_deduplication_window = 20000, replicated_deduplication_window_seconds = 604800,
    fsync_after_insert = 1
COMMENT 'x'`,
      "CREATE TABLE IF NOT EXISTS db.t_all ON CLUSTER 'main' AS db.t ENGINE = Distributed('main', 'db', 't')",
    ]);
  });

  it("keeps the columns that an engine is given", () => {
    const statement =
      "CREATE TABLE IF NOT EXISTS db.t (a Int8)\nENGINE = ReplacingMergeTree(a)\nORDER BY a";

    expect(onCluster(statement, "main")[0]).toContain(
      "ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/db/t', '{replica}', a)",
    );
  });

  it.each([
    ["CREATE DATABASE IF NOT EXISTS db", ["CREATE DATABASE IF NOT EXISTS db ON CLUSTER 'main'"]],
    [
      "CREATE TABLE IF NOT EXISTS db.probe AS db.t\nENGINE = Null",
      ["CREATE TABLE IF NOT EXISTS db.probe ON CLUSTER 'main' AS db.t\nENGINE = Null"],
    ],
    [
      "CREATE VIEW IF NOT EXISTS db.v AS SELECT 1",
      ["CREATE VIEW IF NOT EXISTS db.v ON CLUSTER 'main' AS SELECT 1"],
    ],
    [
      "CREATE MATERIALIZED VIEW IF NOT EXISTS db.v TO db.t AS SELECT 1",
      ["CREATE MATERIALIZED VIEW IF NOT EXISTS db.v ON CLUSTER 'main' TO db.t AS SELECT 1"],
    ],
    [
      "ALTER TABLE db.t\nADD COLUMN IF NOT EXISTS b Int8",
      [
        "ALTER TABLE db.t ON CLUSTER 'main'\nADD COLUMN IF NOT EXISTS b Int8",
        "ALTER TABLE db.t_all ON CLUSTER 'main'\nADD COLUMN IF NOT EXISTS b Int8",
      ],
    ],
    [
      "ALTER TABLE db.t MODIFY SETTING non_replicated_deduplication_window = 5",
      ["ALTER TABLE db.t ON CLUSTER 'main' MODIFY SETTING replicated_deduplication_window = 5"],
    ],
    ["DROP VIEW IF EXISTS db.v", ["DROP VIEW IF EXISTS db.v ON CLUSTER 'main'"]],
    ["INSERT INTO db.t SELECT 1", ["INSERT INTO db.t SELECT 1"]],
  ])("is made on every replica: %s", (statement, expected) => {
    expect(onCluster(statement, "main")).toEqual(expected);
  });

  it("is refused when it is of a kind that has no form there", () => {
    expect(() => onCluster("OPTIMIZE TABLE db.t", "main")).toThrow(MigrationError);
  });

  it("leaves nothing of this package's migrations behind that only a single server has", () => {
    for (const { statements } of readMigrations(SQL_FOLDER))
      for (const statement of statements.flatMap((text) => statementsFor(text, VALUES))) {
        expect(statement).toContain("ON CLUSTER 'main'");
        expect(statement).not.toContain("non_replicated");
        expect(statement).not.toMatch(/^ENGINE = [A-Za-z]*(?<!Replicated[A-Za-z]*)MergeTree/m);
      }
  });
});
