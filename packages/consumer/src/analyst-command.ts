import type { ClickHouseClient } from "@clickhouse/client";
import { createLogger, type Environment, readConfigGroups } from "@push-reports/service-kit";
import { createClickHouse } from "./clickhouse-client.js";
import { CLICKHOUSE_OPTIONS, TABLE_OPTIONS } from "./clickhouse-options.js";
import { readTextFile } from "./command-environment.js";

/** A database with the analysts' tables. */
export interface AnalystDatabase {
  readonly client: ClickHouseClient;
  readonly database: string;
}

/** The same, opened for one command. */
export interface OpenedDatabase extends AnalystDatabase {
  readonly close: () => Promise<void>;
}

/** What import-publishes reads from its environment. */
export const ANALYST_COMMAND_OPTION_GROUPS = {
  clickHouse: CLICKHOUSE_OPTIONS,
  tables: { database: TABLE_OPTIONS.database },
} as const;

/** How long one statement may take, s. */
const STATEMENT_SECS = 600;

/** Opens the database that the environment names. @throws ConfigError */
export function openAnalystDatabase(environment: Environment): OpenedDatabase {
  const { clickHouse, tables } = readConfigGroups(
    ANALYST_COMMAND_OPTION_GROUPS,
    environment,
    readTextFile,
  );
  const logger = createLogger({ service: "command", level: "warn" });
  const limits = { insertTimeoutMs: STATEMENT_SECS * 1_000, maxConnections: 2 };
  const client = createClickHouse(clickHouse, limits, logger);
  return { client, database: tables.database, close: () => client.close() };
}
