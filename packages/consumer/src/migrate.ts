import { readFileSync } from "node:fs";
import process from "node:process";
import {
  Backoff,
  ConfigError,
  createLogger,
  readConfigGroups,
  systemClock,
} from "@push-reports/service-kit";
import { createClickHouse } from "./clickhouse-client.js";
import { MIGRATE_OPTION_GROUPS } from "./config.js";
import { migrate, readMigrations } from "./migrations.js";
import { SQL_FOLDER } from "./sql-folder.js";

/** How long one statement of a migration may take, ms. */
const STATEMENT_MS = 120_000;

try {
  await main();
} catch (error) {
  const lines =
    error instanceof ConfigError
      ? error.faults.map((fault) => `  - ${fault}`)
      : [`  - ${error instanceof Error ? error.message : String(error)}`];
  process.stderr.write(`The migrations were not applied:\n${lines.join("\n")}\n`);
  process.exitCode = 1;
}

/** Waits for the database, brings it to the newest version, and ends. */
async function main(): Promise<void> {
  const readFile = (path: string) => readFileSync(path, "utf8");
  const config = readConfigGroups(MIGRATE_OPTION_GROUPS, process.env, readFile);
  const logger = createLogger({ service: "migrate", level: config.migrate.logLevel });
  const client = createClickHouse(
    config.clickHouse,
    { insertTimeoutMs: STATEMENT_MS, maxConnections: 1 },
    logger,
  );
  try {
    const endsAt = systemClock.now() + config.migrate.waitMs;
    const backoff = new Backoff({ initialMs: 250, maxMs: 2_000 });
    while (!(await client.ping()).success && systemClock.now() < endsAt)
      await systemClock.sleep(backoff.next());
    const values = { ...config.tables, cluster: config.clickHouse.cluster };
    const applied = await migrate(client, readMigrations(SQL_FOLDER), values, logger);
    logger.info("migrations_done", { applied: applied.length });
  } finally {
    await client.close();
  }
}
