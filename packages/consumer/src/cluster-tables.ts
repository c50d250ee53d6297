import { MigrationError } from "./migration-error.js";

/*
 * The migrations are written for one server. On a cluster the same tables are replicated ones, made on every replica; this file
 * is the only place that knows the difference.
 */

/** Tokens are forgotten after this time, too, whatever the window in inserts: a week, s. The default is as little as an hour. */
const DEDUPLICATION_SECS = 604_800;
/** A name of a database or table, as migrations write it. */
const NAME = "[A-Za-z_][A-Za-z0-9_]*\\.[A-Za-z_][A-Za-z0-9_]*";

/**
 * What one filled statement of a migration is on a cluster: itself `ON CLUSTER`, its MergeTree replicated and its deduplication
 * window the one that replicated tables heed. A table that holds rows is followed by `<table>_all`, a Distributed table, for reads
 * that may go to any replica; the project writes only to the table itself.
 * @throws MigrationError for a kind of statement that has no form here yet.
 */
export function onCluster(statement: string, cluster: string): readonly string[] {
  const text = statement.replace(/^(\s*--[^\n]*\n)+/, "");
  if (/^(INSERT|SELECT)\b/i.test(text)) return [statement];
  const [head, kind, name] = headOf(text);
  const rest = text.slice(head.length);
  const there = `${head} ON CLUSTER '${cluster}'`;
  if (kind === "ALTER TABLE") return alterations(rest, there, name, cluster);
  if (kind !== "CREATE TABLE") return [there + rest];
  const table = there + replicated(rest, name);
  return isMergeTree(rest) ? [table, distributed(name, cluster)] : [table];
}

/** Name of the Distributed table over a table. */
const allOf = (name: string) => `${name}_all`;

/** Everything up to and with the name of what a statement is about. */
function headOf(text: string): readonly [head: string, kind: string, name: string] {
  const pattern = new RegExp(
    `^(CREATE TABLE|CREATE VIEW|CREATE MATERIALIZED VIEW|CREATE DATABASE|ALTER TABLE|DROP TABLE|DROP VIEW)( IF NOT EXISTS| IF EXISTS)? (${NAME}|[A-Za-z_][A-Za-z0-9_]*)`,
  );
  const [head, kind, , name] = pattern.exec(text) ?? [];
  if (head === undefined || kind === undefined || name === undefined)
    throw new MigrationError(
      `On a cluster nothing is known of a statement like: ${text.slice(0, 80)}`,
    );
  return [head, kind, name];
}

const ENGINE = /^ENGINE = ((?:[A-Z][a-z]+)?MergeTree)(?:\(([^)]*)\))?/m;
const isMergeTree = (text: string) => ENGINE.test(text);

function replicated(rest: string, name: string): string {
  const [database = "", table = ""] = name.split(".");
  // Not by UUID: a replica that is added later runs the same statements and must find the same path.
  const place = `'/clickhouse/tables/{shard}/${database}/${table}', '{replica}'`;
  return rest
    .replace(ENGINE, (_, engine: string, columns?: string) => {
      const args = columns === undefined || columns === "" ? place : `${place}, ${columns}`;
      return `ENGINE = Replicated${engine}(${args})`;
    })
    .replace(
      /\bnon_replicated_deduplication_window = (\d+)/,
      `replicated_deduplication_window = $1, replicated_deduplication_window_seconds = ${DEDUPLICATION_SECS}`,
    );
}

function distributed(name: string, cluster: string): string {
  const [database, table] = name.split(".");
  return `CREATE TABLE IF NOT EXISTS ${allOf(name)} ON CLUSTER '${cluster}' AS ${name} ENGINE = Distributed('${cluster}', '${database}', '${table}')`;
}

/** A Distributed table has the columns of its own definition, so changes of columns are made on it as well. */
function alterations(
  rest: string,
  there: string,
  name: string,
  cluster: string,
): readonly string[] {
  const alteration =
    there + rest.replace("non_replicated_deduplication", "replicated_deduplication");
  const isAboutColumns = /^\s*(ADD|DROP|MODIFY|RENAME|COMMENT) COLUMN\b/i.test(rest);
  return isAboutColumns
    ? [alteration, `ALTER TABLE ${allOf(name)} ON CLUSTER '${cluster}'${rest}`]
    : [alteration];
}
