import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import {
  type OpenedDatabase,
  type OperatorTools,
  operatorStatements,
  STATEMENT_SECS,
  TABLE_OPTIONS,
} from "@push-reports/consumer";
import { type EmbeddedLog, openEmbeddedLog } from "@push-reports/embedded-log";
import { type Environment, readConfigGroups } from "@push-reports/service-kit";
import { STANDALONE_OPTION_GROUPS } from "./config.js";
import { embeddedPositions } from "./embedded-record-source.js";
import { openDatabase } from "./open-database.js";
import { SOURCE } from "./service.js";

const OPTION_GROUPS = {
  standalone: {
    dataDir: STANDALONE_OPTION_GROUPS.standalone.dataDir,
    maxLogBytes: STANDALONE_OPTION_GROUPS.standalone.maxLogBytes,
  },
  tables: { database: TABLE_OPTIONS.database },
} as const;

/** Opens the database of a standalone that does not run. @throws ConfigError; Error when there is none, or when it runs. */
export async function openStoppedDatabase(environment: Environment): Promise<OpenedDatabase> {
  const { standalone, tables } = readStopped(environment);
  const path = join(resolve(standalone.dataDir), "clickhouse");
  if (!existsSync(path))
    throw new Error(`There is no database in ${path}: set DATA_DIR to standalone's data folder`);
  try {
    const client = openDatabase(path);
    await client.command({ query: "SELECT 1" });
    return { client, database: tables.database, close: () => client.close() };
  } catch (cause) {
    throw new Error(`${path} cannot be opened; stop standalone first, which has it for itself`, {
      cause,
    });
  }
}

/**
 * Opens database and log of a standalone that does not run.
 * @param statementSecs how long the database may take for one statement, s. @throws as {@link openStoppedDatabase}; LogError
 */
export async function openStoppedTools(
  environment: Environment,
  statementSecs = STATEMENT_SECS,
): Promise<OperatorTools> {
  const { standalone } = readStopped(environment);
  const { client, database, close } = await openStoppedDatabase(environment);
  let log: EmbeddedLog | null = null;
  const positions = async () => {
    const path = join(resolve(standalone.dataDir), "log");
    log ??= await openEmbeddedLog({ path, maxBytes: standalone.maxLogBytes });
    return embeddedPositions(log);
  };
  return {
    ...operatorStatements(client, database, { statementSecs }),
    source: SOURCE,
    mayBeConsumed: false,
    positions,
    // The log holds nothing that is committed, so that nothing in it can have expired from the ledger.
    offsetsSince: async () =>
      new Map(
        [...(await positions())].map(([partition, { lowWatermark }]) => [partition, lowWatermark]),
      ),
    close: async () => {
      await log?.close();
      await close();
    },
  };
}

function readStopped(environment: Environment) {
  return readConfigGroups(OPTION_GROUPS, environment, (path) => readFileSync(path, "utf8"));
}
