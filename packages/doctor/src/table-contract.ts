import { type Finding, failed, ok } from "./finding.js";

/** A table as `system.tables` describes it. */
export interface DescribedTable {
  readonly name: string;
  readonly engine: string;
  /** The statement that would make it again. */
  readonly create: string;
}

/** What tables that hold what consumers write must be like. */
export interface TableNeeds {
  readonly deduplicationWindow: number;
  readonly retentionMonths: number;
}

const WINDOW = /\b(?:non_)?replicated_deduplication_window = (\d+)/;
const TTL_MONTHS = /\bTTL .*?toIntervalMonth\((\d+)\)/;
/** The migrations' own list is written by nobody else, and once. */
const NOT_WRITTEN_BY_CONSUMERS: ReadonlySet<string> = new Set(["schema_migrations"]);

/** What is known now replaces what was known before: nothing in it grows old. */
const NEVER_EXPIRES: ReadonlySet<string> = new Set(["freshness"]);

/** Whether an insert that is repeated is dropped everywhere, and rows are kept for as long as configured. */
export function judgeTables(tables: readonly DescribedTable[], needs: TableNeeds): Finding[] {
  const stored = tables.filter(
    ({ name, engine }) => engine.endsWith("MergeTree") && !NOT_WRITTEN_BY_CONSUMERS.has(name),
  );
  const expiring = stored.filter(({ name }) => !NEVER_EXPIRES.has(name));
  return [
    judgeWindows(stored, needs.deduplicationWindow),
    judgeTtl(expiring, needs.retentionMonths),
  ];
}

function judgeWindows(tables: readonly DescribedTable[], needed: number): Finding {
  const check = "ClickHouse: deduplication windows";
  const off = tables
    .map(({ name, create }) => ({ name, window: Number(WINDOW.exec(create)?.[1] ?? 0) }))
    .filter(({ window }) => window < needed);
  if (off.length === 0) return ok(check, `${needed} inserts on ${tables.length} tables.`);
  const list = off.map(({ name, window }) => `${name} ${window}`).join(", ");
  return failed(
    check,
    `smaller than DEDUPLICATION_WINDOW (${needed}): ${list}. A repeated insert may double rows.`,
    "run migrate with the same DEDUPLICATION_WINDOW.",
  );
}

function judgeTtl(tables: readonly DescribedTable[], months: number): Finding {
  const check = "ClickHouse: TTL";
  const off = tables
    .map(({ name, create }) => ({ name, months: TTL_MONTHS.exec(create)?.[1] }))
    .filter((table) => table.months !== String(months));
  if (off.length === 0) return ok(check, `${months} months on ${tables.length} tables.`);
  const list = off.map((table) => `${table.name} ${table.months ?? "none"}`).join(", ");
  return failed(
    check,
    `other than RETENTION_MONTHS (${months}): ${list}.`,
    "run migrate with the same RETENTION_MONTHS.",
  );
}
