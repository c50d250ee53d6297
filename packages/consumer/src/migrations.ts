import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ClickHouseClient } from "@clickhouse/client";
import { CANARY_INSTANCE_ID } from "@push-reports/report";
import type { Logger } from "@push-reports/service-kit";
import { onCluster } from "./cluster-tables.js";
import { MigrationError } from "./migration-error.js";

/** What the migrations' placeholders stand for. */
export interface MigrationValues {
  readonly database: string;
  /** Months that reports, ledger and dead letters are kept, by time of receipt. */
  readonly retentionMonths: number;
  /** Inserts whose tokens a table remembers; the same for every table, so that a retried range is whole everywhere. */
  readonly deduplicationWindow: number;
  /** Cluster on whose replicas the tables are made; null or absent for a single server. */
  readonly cluster?: string | null;
}

/** One numbered file of statements. */
export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly statements: readonly string[];
  /** Of the file as written, placeholders unfilled. */
  readonly checksum: string;
}

/** Reads `NNNN-name.sql` files in order. A statement ends with a semicolon at a line's end. @throws MigrationError */
export function readMigrations(folder: string): readonly Migration[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".sql"))
    .sort()
    .map((file) => {
      const [, number, name] = /^(\d{4})-([a-z0-9-]+)\.sql$/.exec(file) ?? [];
      if (number === undefined || name === undefined)
        throw new MigrationError(`${file} must be named like 0001-what-it-makes.sql`);
      const text = readFileSync(join(folder, file), "utf8");
      const statements = text
        .split(/;\s*$/m)
        .map((statement) => statement.trim())
        .filter((statement) => statement !== "");
      const checksum = createHash("sha256").update(text).digest("hex");
      return { version: Number(number), name, statements, checksum };
    });
}

/** Puts the values into a statement. @throws MigrationError for a placeholder that has none. */
export function fillIn(statement: string, values: MigrationValues): string {
  const filled: Readonly<Record<string, string>> = {
    database: values.database,
    retention_months: String(values.retentionMonths),
    deduplication_window: String(values.deduplicationWindow),
    canary_instance: CANARY_INSTANCE_ID,
  };
  return statement.replace(/\{(\w+)\}/g, (_, key: string) => {
    const value = filled[key];
    if (value === undefined) throw new MigrationError(`Nothing fills the placeholder {${key}}`);
    return value;
  });
}

/** What a migration's statement is on this server: filled, and on a cluster in its form for that. @throws MigrationError */
export function statementsFor(statement: string, values: MigrationValues): readonly string[] {
  const filled = fillIn(statement, values);
  return values.cluster == null ? [filled] : onCluster(filled, values.cluster);
}

/**
 * Brings the database to the newest version: creates it, applies what `schema_migrations` lacks, in order, and sets retention
 * and deduplication windows to today's values. Every statement may run twice, so a run that died half-way is simply run again.
 * @returns the names of the migrations that were applied.
 * @throws MigrationError when an applied file has changed; whatever the database throws.
 */
export async function migrate(
  client: ClickHouseClient,
  migrations: readonly Migration[],
  values: MigrationValues,
  logger: Logger,
): Promise<readonly string[]> {
  const { database } = values;
  const run = async (statement: string) => {
    for (const query of statementsFor(statement, values)) await client.command({ query });
  };
  if (values.cluster != null) await expectOneShard(client, values.cluster);
  await run("CREATE DATABASE IF NOT EXISTS {database}");
  await run(MIGRATIONS_TABLE);
  const applied = await appliedChecksums(client, database);
  const done: Migration[] = [];
  const book = async (booked: readonly Migration[]) =>
    await client.insert({
      table: `${database}.schema_migrations`,
      values: booked.map(({ version, name, checksum }) => ({ version, name, checksum })),
      format: "JSONEachRow",
    });
  for (const migration of migrations) {
    const { version, name, statements, checksum } = migration;
    const before = applied.get(version);
    if (before !== undefined && before !== checksum)
      throw new MigrationError(`Migration ${version} (${name}) was changed after it was applied`);
    if (before !== undefined) continue;
    for (const statement of statements) await run(statement);
    if (applied.size > 0) await book([migration]);
    logger.info("migration_applied", { version, name });
    done.push(migration);
  }
  // A new database is booked at once, which is quicker: what died half-way has nothing in it that would take long to do again.
  if (applied.size === 0 && done.length > 0) await book(done);
  await applyRetention(client, values, run);
  return done.map(({ name }) => name);
}

const MIGRATIONS_TABLE = `CREATE TABLE IF NOT EXISTS {database}.schema_migrations
(
    version UInt32,
    name String,
    checksum String,
    applied_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = MergeTree ORDER BY version
COMMENT 'Migrations that were applied'`;

/** Tables whose rows expire, and the column whose age decides. */
const EXPIRING = {
  reports: "received_at",
  ledger: "completed_at",
  dead_letters: "set_aside_at",
  corrections: "corrected_at",
  notifications: "last_received_at",
  publish_activity: "last_received_at",
  instance_hours: "hour",
  publishes: "imported_at",
  erased_reports: "erased_at",
  command_claims: "said_at",
};

async function applyRetention(
  client: ClickHouseClient,
  values: MigrationValues,
  run: (statement: string) => Promise<void>,
): Promise<void> {
  const { database, retentionMonths, deduplicationWindow } = values;
  const creates = await showCreates(client, database);
  for (const [table, column] of Object.entries(EXPIRING)) {
    const create = creates.get(table);
    if (create === undefined) throw new MigrationError(`The table ${database}.${table} is missing`);
    const ttl = `toDateTime(${column}) + toIntervalMonth(${retentionMonths})`;
    if (!create.includes(`TTL ${ttl}`))
      await run(`ALTER TABLE ${database}.${table} MODIFY TTL ${ttl}`);
    const window = `non_replicated_deduplication_window = ${deduplicationWindow}`;
    // What a replicated table says begins with this one's name less "non_".
    const there = values.cluster == null ? window : window.slice("non_".length);
    if (!create.includes(`${there},`))
      await run(`ALTER TABLE ${database}.${table} MODIFY SETTING ${window}`);
  }
}

/** The definition of each table that expires and is there. */
async function showCreates(
  client: ClickHouseClient,
  database: string,
): Promise<ReadonlyMap<string, string>> {
  const result = await client.query({
    query: `SELECT name, create_table_query AS create FROM system.tables
            WHERE database = {database:String} AND name IN {tables:Array(String)}`,
    query_params: { database, tables: Object.keys(EXPIRING) },
    format: "JSONEachRow",
  });
  const rows = await result.json<{ name: string; create: string }>();
  return new Map(rows.map(({ name, create }) => [name, create]));
}

/** The analysts' figures of a device need all reports of that device on one shard, and Kafka's partitions do not give that. */
async function expectOneShard(client: ClickHouseClient, cluster: string): Promise<void> {
  const result = await client.query({
    query:
      "SELECT toUInt32(uniqExact(shard_num)) AS shards FROM system.clusters WHERE cluster = {cluster:String}",
    query_params: { cluster },
    format: "JSONEachRow",
  });
  const [row] = await result.json<{ shards: number }>();
  if (row?.shards === 1) return;
  throw new MigrationError(
    row?.shards === 0 || row === undefined
      ? `ClickHouse knows no cluster ${cluster}: set CLICKHOUSE_CLUSTER to one that system.clusters names`
      : `The cluster ${cluster} has ${row.shards} shards, and one is supported, with any number of replicas: name a cluster of one shard`,
  );
}

async function appliedChecksums(
  client: ClickHouseClient,
  database: string,
): Promise<ReadonlyMap<number, string>> {
  const result = await client.query({
    query: `SELECT version, checksum FROM ${database}.schema_migrations`,
    format: "JSONEachRow",
  });
  const rows = await result.json<{ version: number; checksum: string }>();
  return new Map(rows.map(({ version, checksum }) => [version, checksum]));
}
