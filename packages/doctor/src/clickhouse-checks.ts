import { type ClickHouseClient, ClickHouseError } from "@clickhouse/client";
import {
  IDLE_SOCKET_TTL_MS,
  type Migration,
  readMigrations,
  SQL_FOLDER,
} from "@push-reports/consumer";
import type { DoctorConfig } from "./config.js";
import { type Finding, failed, ok, warning } from "./finding.js";
import { type DescribedTable, judgeTables } from "./table-contract.js";

/** The release that the tests run on. */
const TESTED_VERSION = [26, 7] as const;
/** ClickHouse's code for a wrong user or password. */
const AUTHENTICATION_FAILED = "516";
const CLOCK_WARNING_MS = 2_000;
const CLOCK_FAILED_MS = 60_000;
const DISK_WARNING = 0.2;
const DISK_FAILED = 0.1;

/** Looks at the database. Never throws: what cannot be looked at is a finding. */
export async function checkClickHouse(
  client: ClickHouseClient,
  config: DoctorConfig,
  now: () => number,
): Promise<readonly Finding[]> {
  const { database } = config.tables;
  const ask = <T>(query: string) => rowsOf<T>(client, query, database);
  let version: string;
  try {
    const askedAt = now();
    const [row] = await ask<{ version: string; now: string }>(
      "SELECT version() AS version, toString(toUnixTimestamp64Milli(now64(3))) AS now",
    );
    version = row?.version ?? "";
    const skewMs = Number(row?.now) - (askedAt + now()) / 2;
    const findings = [
      ok("ClickHouse: reachable", `as ${config.clickHouse.user}.`),
      judgeVersion(version),
      judgeClock(skewMs),
    ];
    const more = [
      () => checkMigrations(ask, readMigrations(SQL_FOLDER)),
      () => checkTables(ask, config),
      () => checkRights(client, database),
      () => checkDisks(ask),
      () => checkKeepAlive(config.clickHouse.url),
    ];
    for (const look of more) findings.push(...(await orFailed(look)));
    return findings;
  } catch (error) {
    return [unreachable(error)];
  }
}

type Ask = <T>(query: string) => Promise<readonly T[]>;

async function rowsOf<T>(
  client: ClickHouseClient,
  query: string,
  database: string,
): Promise<readonly T[]> {
  const result = await client.query({
    query,
    query_params: { database },
    format: "JSONEachRow",
  });
  return await result.json<T>();
}

async function orFailed(look: () => Promise<readonly Finding[]>): Promise<readonly Finding[]> {
  try {
    return await look();
  } catch (error) {
    return [
      failed(
        "ClickHouse: answers",
        messageOf(error),
        "run migrate, and check the rights of the user.",
      ),
    ];
  }
}

function unreachable(error: unknown): Finding {
  if (error instanceof ClickHouseError && error.code === AUTHENTICATION_FAILED)
    return failed(
      "ClickHouse: authentication",
      "the user or the password is wrong.",
      "set CLICKHOUSE_USER and CLICKHOUSE_PASSWORD (or CLICKHOUSE_PASSWORD_FILE).",
    );
  return failed(
    "ClickHouse: reachable",
    messageOf(error),
    "check CLICKHOUSE_URL, the network, and that the server runs.",
  );
}

function judgeVersion(version: string): Finding {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [testedMajor, testedMinor] = TESTED_VERSION;
  if (major > testedMajor || (major === testedMajor && minor >= testedMinor))
    return ok("ClickHouse: version", `${version}.`);
  return warning(
    "ClickHouse: version",
    `${version} is older than ${TESTED_VERSION.join(".")}, which the tests run on.`,
    "run the tests against it (CLICKHOUSE_URL_FOR_TESTS), or upgrade.",
  );
}

function judgeClock(skewMs: number): Finding {
  const detail = `${Math.round(Math.abs(skewMs))} ms from this machine's.`;
  const fix = "let both machines keep their time by NTP.";
  if (Math.abs(skewMs) < CLOCK_WARNING_MS) return ok("clocks: ClickHouse", detail);
  return Math.abs(skewMs) < CLOCK_FAILED_MS
    ? warning("clocks: ClickHouse", detail, fix)
    : failed("clocks: ClickHouse", detail, fix);
}

async function checkMigrations(
  ask: Ask,
  migrations: readonly Migration[],
): Promise<readonly Finding[]> {
  const check = "ClickHouse: migrations";
  const applied = await ask<{ version: number; checksum: string }>(
    "SELECT version, checksum FROM {database:Identifier}.schema_migrations",
  );
  const checksums = new Map(applied.map(({ version, checksum }) => [version, checksum]));
  const lacking = migrations.filter(({ version }) => !checksums.has(version));
  const changed = migrations.filter(
    ({ version, checksum }) => (checksums.get(version) ?? checksum) !== checksum,
  );
  if (lacking.length > 0)
    return [
      failed(check, `${lacking.length} are not applied, from ${lacking[0]?.name}.`, "run migrate."),
    ];
  if (changed.length > 0)
    return [
      failed(
        check,
        `${changed.map(({ name }) => name).join(", ")} differ from what was applied.`,
        "use the release that the tables were made by, or a newer one.",
      ),
    ];
  if (checksums.size > migrations.length)
    return [
      warning(
        check,
        `${checksums.size - migrations.length} are newer than this release.`,
        "run the newer release, or leave it so while you roll back (docs/upgrade.md).",
      ),
    ];
  return [ok(check, `all ${migrations.length} are applied.`)];
}

const MADE = /CREATE (?:TABLE|VIEW|MATERIALIZED VIEW) IF NOT EXISTS \{database\}\.(\w+)/g;

async function checkTables(ask: Ask, config: DoctorConfig): Promise<readonly Finding[]> {
  const tables = await ask<DescribedTable>(
    "SELECT name, engine, create_table_query AS create FROM system.tables WHERE database = {database:String}",
  );
  const present = new Set(tables.map(({ name }) => name));
  const statements = readMigrations(SQL_FOLDER).flatMap((migration) => migration.statements);
  const expected = statements.flatMap((statement) =>
    [...statement.matchAll(MADE)].map(([, name = ""]) => name),
  );
  const lacking = [...new Set(expected)].filter((name) => !present.has(name));
  const existence =
    lacking.length === 0
      ? ok("ClickHouse: tables", `all ${new Set(expected).size} tables and views are there.`)
      : failed(
          "ClickHouse: tables",
          `missing: ${lacking.join(", ")}.`,
          "somebody dropped them after migrate had made them: restore them from a backup, or make them by hand from packages/consumer/sql.",
        );
  return [existence, ...judgeTables(tables, config.tables)];
}

const WRITTEN = ["reports", "ledger", "dead_letters", "probe"] as const;

async function checkRights(
  client: ClickHouseClient,
  database: string,
): Promise<readonly Finding[]> {
  const lacking: string[] = [];
  for (const table of WRITTEN) {
    try {
      // Nothing is inserted: the rights are looked at before the (absent) rows are.
      await client.command({
        query: `INSERT INTO ${database}.${table} SELECT * FROM ${database}.${table} WHERE false`,
      });
    } catch (error) {
      lacking.push(`${table} (${messageOf(error)})`);
    }
  }
  return [
    lacking.length === 0
      ? ok("ClickHouse: insert rights", `on ${WRITTEN.join(", ")}.`)
      : failed(
          "ClickHouse: insert rights",
          `none on ${lacking.join("; ")}.`,
          `GRANT SELECT, INSERT ON ${database}.* to the user.`,
        ),
  ];
}

async function checkDisks(ask: Ask): Promise<readonly Finding[]> {
  const disks = await ask<{ name: string; free: number }>(
    "SELECT name, toFloat64(free_space) / toFloat64(total_space) AS free FROM system.disks WHERE total_space > 0",
  );
  return disks.map(({ name, free }) => {
    const check = `ClickHouse: disk ${name}`;
    const detail = `${Math.round(free * 100)} % free.`;
    const fix = "add space, or lower RETENTION_MONTHS and run migrate.";
    if (free >= DISK_WARNING) return ok(check, detail);
    return free >= DISK_FAILED ? warning(check, detail, fix) : failed(check, detail, fix);
  });
}

async function checkKeepAlive(url: string): Promise<readonly Finding[]> {
  const check = "ClickHouse: keep-alive";
  const answer = await fetch(new URL("/ping", url), { signal: AbortSignal.timeout(5_000) });
  await answer.arrayBuffer();
  const seconds = Number(/timeout=(\d+)/.exec(answer.headers.get("keep-alive") ?? "")?.[1] ?? 0);
  if (seconds === 0)
    return [
      warning(
        check,
        "the server does not say how long it keeps idle connections.",
        "make sure that it is 5 s or more.",
      ),
    ];
  if (seconds * 1_000 > IDLE_SOCKET_TTL_MS) return [ok(check, `${seconds} s.`)];
  return [
    failed(
      check,
      `${seconds} s, not more than the ${IDLE_SOCKET_TTL_MS} ms that our client keeps a connection: inserts meet closed ones.`,
      "raise keep_alive_timeout of the server to 10 s.",
    ),
  ];
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
