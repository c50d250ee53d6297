import type { AskedDatabase, ClickHouseStatements } from "./clickhouse-statements.js";
import { type ViewsSeen, WriteError } from "./report-writer.js";

/** What making roll-ups needs of a database. */
export type RollUpDatabase = Pick<ClickHouseStatements, "select" | "insertSelected">;

/** A table that a materialized view fills from `reports`, one row a group of reports. */
export interface RollUp {
  readonly table: string;
  readonly view: string;
}

export const NOTIFICATIONS: RollUp = { table: "notifications", view: "notifications_of_reports" };
export const PUBLISH_ACTIVITY: RollUp = {
  table: "publish_activity",
  view: "publish_activity_of_reports",
};
export const INSTANCE_HOURS: RollUp = {
  table: "instance_hours",
  view: "instance_hours_of_reports",
};

const ROLL_UPS: readonly RollUp[] = [NOTIFICATIONS, PUBLISH_ACTIVITY, INSTANCE_HOURS];

/** The views that fill the roll-ups. @throws WriteError `misconfigured` when one is missing; whatever the database throws. */
export async function rollUpViewsNow(
  asked: Pick<RollUpDatabase, "select">,
  database: string,
): Promise<ViewsSeen> {
  const rows = await asked.select<{ name: string; uuid: string; changed: string }>(
    `SELECT name, toString(uuid) AS uuid, toString(toUnixTimestamp(metadata_modification_time)) AS changed FROM system.tables
     WHERE database = {database:String} AND name IN {views:Array(String)} ORDER BY name`,
    { database, views: ROLL_UPS.map(({ view }) => view) },
  );
  for (const { table, view } of ROLL_UPS)
    if (!rows.some(({ name }) => name === view))
      throw new WriteError(
        "misconfigured",
        0,
        `The view ${view}, which fills ${table}, is missing`,
      );
  return {
    identity: rows.map(({ uuid }) => uuid).join(" "),
    changedAt: new Date(1_000 * Math.max(...rows.map(({ changed }) => Number(changed)))),
  };
}

/**
 * Merges what some reports say into every roll-up once more: nothing changes where it is there already, since every state is one that
 * the same report again does not change. All at once: whoever takes a range over that was under way waits for it, as does everything behind that range.
 * When one fails it fails once all have ended, so that nobody takes it for over while the database is at the others.
 * @param reports condition on the columns of `reports`, with `{name:Type}` parameters. @throws whatever the database throws.
 */
export async function completeRollUps(
  asked: RollUpDatabase,
  database: string,
  reports: string,
  params: Readonly<Record<string, unknown>>,
): Promise<void> {
  const merged = await Promise.allSettled(
    ROLL_UPS.map((rollUp) => mergeInto(asked, database, rollUp, { reports, params })),
  );
  const failed = merged.find(({ status }) => status === "rejected");
  if (failed?.status === "rejected") throw failed.reason;
}

/** Which groups are made anew, and of which reports. All are conditions on columns, with `{name:Type}` parameters. */
export interface Rebuild {
  /** Rows of the roll-up. */
  readonly rows: string;
  /** All reports of those rows, and no others. */
  readonly reports: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/**
 * Makes rows of a roll-up anew from `reports`, by the view's own definition: for states that cannot forget. Reports that arrive
 * meanwhile are kept, since states may be merged twice. When it dies half-way, rows are missing until it is run again.
 * @throws WriteError, `misconfigured` when the view is not there.
 */
export async function rebuildRollUp(
  { statements, database }: AskedDatabase,
  { table, view }: RollUp,
  { rows, reports, params }: Rebuild,
): Promise<void> {
  // Before anything is deleted it is sure that it can be made again.
  await definitionOf(statements, database, view, reports);
  await statements.deleteFrom(table, rows, params);
  await mergeInto(statements, database, { table, view }, { reports, params });
}

async function mergeInto(
  asked: RollUpDatabase,
  database: string,
  { table, view }: RollUp,
  { reports, params }: Omit<Rebuild, "rows">,
): Promise<void> {
  const [select, columns] = await Promise.all([
    definitionOf(asked, database, view, reports),
    columnsOf(asked, database, table),
  ]);
  await asked.insertSelected(table, columns, `SELECT ${columns} FROM (${select})`, params);
}

async function definitionOf(
  asked: RollUpDatabase,
  database: string,
  view: string,
  reports: string,
): Promise<string> {
  const [row] = await asked.select<{ as_select: string }>(
    "SELECT as_select FROM system.tables WHERE database = {database:String} AND name = {view:String}",
    { database, view },
  );
  const parts = row?.as_select.split(`FROM ${database}.reports `) ?? [];
  if (parts.length !== 2)
    throw new WriteError("misconfigured", 0, `The view ${view} does not read from reports`);
  return parts.join(`FROM (SELECT * FROM ${database}.reports WHERE ${reports}) AS reports `);
}

async function columnsOf(asked: RollUpDatabase, database: string, table: string): Promise<string> {
  const rows = await asked.select<{ name: string }>(
    "SELECT name FROM system.columns WHERE database = {database:String} AND table = {table:String} ORDER BY position",
    { database, table },
  );
  return rows.map(({ name }) => name).join(", ");
}
