import { readFileSync } from "node:fs";
import type { ClickHouseClient } from "@clickhouse/client";
import {
  createKafka,
  createLogger,
  type Environment,
  KAFKA_OPTIONS,
  type OptionGroups,
  readConfigGroups,
  systemClock,
} from "@push-reports/service-kit";
import { createClickHouse } from "./clickhouse-client.js";
import {
  CLICKHOUSE_OPTIONS,
  type ClickHouseConfig,
  clusterSettings,
  TABLE_OPTIONS,
} from "./clickhouse-options.js";
import { type AskedDatabase, ClickHouseStatements } from "./clickhouse-statements.js";
import { CLAIMED_INSERT_SECS } from "./command-claim.js";
import { CONSUMER_OPTIONS } from "./config.js";
import { readOffsetsSince, readPositions } from "./kafka-positions.js";
import type { PartitionPosition } from "./record-source.js";
import { type Repeat, repeatPassing } from "./repeat-passing.js";

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

/** What the operators' commands work with. */
export interface OperatorTools extends AskedDatabase {
  /** Whose offsets the tables are asked for. */
  readonly source: string;
  /** Where the group and the log stand. @throws when the log cannot be asked. */
  readonly positions: () => Promise<ReadonlyMap<number, PartitionPosition>>;
  /** The first offset by partition whose record is of a time or later; the log's end where there is none. @throws as `positions` */
  readonly offsetsSince: (time: Date) => Promise<ReadonlyMap<number, number>>;
  /** Consumers may take records from the log meanwhile; those of a standalone that is stopped cannot. */
  readonly mayBeConsumed: boolean;
  readonly close: () => Promise<void>;
}

/** A replay gives rows to three roll-ups at once, and meanwhile its claim must be said again: behind those it could come too late. */
const MAX_CONNECTIONS = 4;
/** How long one statement of a command may take, s. */
export const STATEMENT_SECS = 600;
/** The same of an erasure, which rewrites parts of tables. */
export const ERASURE_STATEMENT_SECS = 3_600;

/**
 * Opens what the environment names; Kafka is connected to once it is asked.
 * @param statementSecs how long the database may take for one statement, s. @throws ConfigError
 */
export function openOperatorTools(
  environment: Environment,
  statementSecs = STATEMENT_SECS,
): OperatorTools {
  const config = readConfigGroups(COMMAND_OPTION_GROUPS, environment, readTextFile);
  const { requestTimeoutMs, groupId, source, logLevel } = config.command;
  const logger = createLogger({ service: "command", level: logLevel });
  const limits = { insertTimeoutMs: statementSecs * 1_000, maxConnections: MAX_CONNECTIONS };
  const client = createClickHouse(config.clickHouse, limits, logger);
  const admin = createKafka(config.kafka, { requestTimeoutMs }, logger).admin();
  return {
    ...operatorStatements(client, config.tables.database, {
      statementSecs,
      cluster: config.clickHouse.cluster,
    }),
    source,
    mayBeConsumed: true,
    positions: async () => {
      await admin.connect();
      return await readPositions(admin, { topic: config.kafka.topic, groupId });
    },
    offsetsSince: async (time) => {
      await admin.connect();
      return await readOffsetsSince(admin, config.kafka.topic, time);
    },
    close: async () => {
      await admin.disconnect();
      await client.close();
    },
  };
}

/** What a command works on a database with. @param statementSecs as of {@link openOperatorTools}. */
export function operatorStatements(
  client: ClickHouseClient,
  database: string,
  {
    statementSecs,
    cluster = null,
  }: { readonly statementSecs: number; readonly cluster?: ClickHouseConfig["cluster"] },
): AskedDatabase {
  const repeat: Repeat = (attempt) => repeatPassing(attempt, systemClock);
  const options = {
    database,
    maxExecutionSecs: statementSecs,
    maxInsertSecs: CLAIMED_INSERT_SECS,
    repeat,
    ...clusterSettings({ cluster }),
  };
  return { statements: new ClickHouseStatements(client, options), database };
}

/** Text of a file. */
export function readTextFile(path: string): string {
  return readFileSync(path, "utf8");
}
