import { readFileSync } from "node:fs";
import type { ClickHouseClient } from "@clickhouse/client";
import {
  ConfigError,
  createLogger,
  type Environment,
  KAFKA_OPTIONS,
  type Logger,
  type OptionGroups,
  readConfigGroups,
} from "@push-reports/service-kit";
import { createClickHouse } from "./clickhouse-client.js";
import { CLICKHOUSE_OPTIONS, TABLE_OPTIONS } from "./clickhouse-options.js";
import { ClickHouseStatements } from "./clickhouse-statements.js";
import { CONSUMER_OPTIONS } from "./config.js";

/** Everything that the operators' commands read from their environment, by theme: the consumer's own variables. */
export const COMMAND_OPTION_GROUPS = {
  clickHouse: CLICKHOUSE_OPTIONS,
  tables: TABLE_OPTIONS,
  command: {
    source: CONSUMER_OPTIONS.source,
    groupId: CONSUMER_OPTIONS.groupId,
    requestTimeoutMs: CONSUMER_OPTIONS.requestTimeoutMs,
    logLevel: CONSUMER_OPTIONS.logLevel,
  },
  kafka: KAFKA_OPTIONS,
} as const satisfies OptionGroups;

/** How long one question of a command may take, s. */
const STATEMENT_SECS = 600;

/** What a command works with. */
export interface CommandTools {
  readonly client: ClickHouseClient;
  readonly statements: ClickHouseStatements;
  readonly database: string;
  readonly logger: Logger;
}

/** Makes a command's client from its configuration. */
export function createCommandTools(config: {
  readonly clickHouse: Parameters<typeof createClickHouse>[0];
  readonly tables: { readonly database: string };
  readonly command: { readonly logLevel: Parameters<typeof createLogger>[0]["level"] };
}): CommandTools {
  const { database } = config.tables;
  const logger = createLogger({ service: "command", level: config.command.logLevel });
  const limits = { insertTimeoutMs: STATEMENT_SECS * 1_000, maxConnections: 2 };
  const client = createClickHouse(config.clickHouse, limits, logger, readTextFile);
  const statements = new ClickHouseStatements(client, {
    database,
    maxExecutionSecs: STATEMENT_SECS,
    insertSettings: [],
    readSettings: [],
  });
  return { client, statements, database, logger };
}

/** Reads the commands' configuration. @throws ConfigError */
export function readCommandConfig(environment: Environment) {
  return readConfigGroups(COMMAND_OPTION_GROUPS, environment, readTextFile);
}

/** Text of a file. */
export function readTextFile(path: string): string {
  return readFileSync(path, "utf8");
}

/** An error as the lines that a person reads on stderr. */
export function explain(error: unknown): string {
  if (error instanceof ConfigError)
    return `The configuration cannot be used:\n${error.faults.map((fault) => `  - ${fault}\n`).join("")}`;
  return `${error instanceof Error ? error.message : String(error)}\n`;
}
