import { mkdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import type { ClickHouseClient } from "@clickhouse/client";
import {
  createIngestion,
  type Ingestion,
  type IngestObserver,
  migrate,
  readMigrations,
  SQL_FOLDER,
} from "@push-reports/consumer";
import { openEmbeddedLog } from "@push-reports/embedded-log";
import {
  createGatewayMetrics,
  createGatewayParts,
  type GatewayParts,
  stopRestMs,
} from "@push-reports/gateway";
import { createPageServer } from "@push-reports/insights";
import {
  type Clock,
  type ConfigOfGroups,
  collectProcessMetrics,
  createLogger,
  type Environment,
  type HealthSource,
  Lifecycle,
  type Logger,
  OperationsServer,
  readConfigGroups,
  type Service,
  systemClock,
} from "@push-reports/service-kit";
import { Registry } from "prom-client";
import { bannerOf } from "./banner.js";
import { STANDALONE_OPTION_GROUPS } from "./config.js";
import { EmbeddedRecordSource } from "./embedded-record-source.js";
import { EmbeddedReportPublisher } from "./embedded-report-publisher.js";
import { openDatabase } from "./open-database.js";
import { ReadOnlyEngine } from "./sql/read-only-engine.js";
import { SqlServer } from "./sql/sql-server.js";

type StandaloneConfig = ConfigOfGroups<typeof STANDALONE_OPTION_GROUPS>;

/** Value of the column `source`: there is one log, made once with the data folder. */
export const SOURCE = "embedded.push-reports.1";

/** Of what a stop has left behind the answers, how much may go into ranges that are under way: the databases need the rest. */
const STOP_DRAIN_SHARE = 0.7;

/** What whoever composes a standalone adds to it. */
export interface StandaloneSurroundings {
  /** Shows people where it can be reached. */
  readonly print: (text: string) => void;
  /** Stamps the time of receipt. @default the machine's */
  readonly receiptClock?: Clock;
  /** Hear of every step of ingestion before it goes on; for fault tests. @default none */
  readonly observers?: readonly IngestObserver[];
  /** Called once all is ready. */
  readonly onStarted?: (started: StartedStandalone) => void;
}

/** A standalone that takes reports. */
export interface StartedStandalone {
  readonly reportingUrl: string;
  readonly clickHouse: ClickHouseClient;
  readonly database: string;
}

/** Gateway, log, consumer, database and page in one process. @throws ConfigError */
export function createStandaloneService(
  environment: Environment,
  readFile: (path: string) => string,
  surroundings: StandaloneSurroundings,
): Service {
  const config = readConfigGroups(STANDALONE_OPTION_GROUPS, environment, readFile);
  const logger = createLogger({ service: "standalone", level: config.standalone.logLevel });
  let fail: (error: Error) => void = () => undefined;
  const failed = new Promise<Error>((onFailed) => {
    fail = onFailed;
  });
  let lifecycle: Lifecycle | null = null;
  return {
    logger,
    failed,
    start: async () => {
      const { receiptClock = systemClock, observers = [] } = surroundings;
      const made = await createStandalone(config, { receiptClock, observers }, logger);
      lifecycle = made.lifecycle;
      made.ingestion.failed.then(fail, fail);
      await lifecycle.start();
      surroundings.print(
        bannerOf({
          httpPort: made.gateway.server.port,
          operationsPort: made.operations.port,
          sqlPort: made.sql.port,
          insightsPort: made.insights.port,
          database: config.tables.database,
          dataDir: resolve(config.standalone.dataDir),
          now: Math.floor(systemClock.now() / 1_000),
        }),
      );
      surroundings.onStarted?.({
        reportingUrl: `http://127.0.0.1:${made.gateway.server.port}`,
        clickHouse: made.clickHouse,
        database: config.tables.database,
      });
    },
    stop: async () => lifecycle?.stop(),
  };
}

interface Standalone {
  readonly lifecycle: Lifecycle;
  readonly ingestion: Ingestion;
  readonly gateway: GatewayParts;
  readonly operations: OperationsServer;
  readonly sql: SqlServer;
  readonly clickHouse: ClickHouseClient;
  readonly insights: ReturnType<typeof createPageServer>;
}

/** Opens the data folder and joins all parts; the last started is the one that takes requests. */
async function createStandalone(
  config: StandaloneConfig,
  {
    receiptClock,
    observers,
  }: { readonly receiptClock: Clock; readonly observers: readonly IngestObserver[] },
  logger: Logger,
): Promise<Standalone> {
  const { standalone, http, ingest, tables } = config;
  const stopTimes = { ...http, shutdownTimeoutMs: standalone.shutdownTimeoutMs };
  const clock = systemClock;
  const registry = new Registry();
  collectProcessMetrics(registry);
  const dataDir = resolve(standalone.dataDir);
  mkdirSync(dataDir, { recursive: true });
  const log = await openEmbeddedLog({
    path: join(dataDir, "log"),
    maxBytes: standalone.maxLogBytes,
    maxWaitingBytes: standalone.maxWaitingBytes,
  });
  const databasePath = join(dataDir, "clickhouse");
  const clickHouse = openDatabase(databasePath);
  await migrate(clickHouse, readMigrations(SQL_FOLDER), tables, logger);
  // A client does one statement at a time: with one of its own the page does not wait for ingestion, nor ingestion for the page.
  const questioned = openDatabase(databasePath);
  const ingestion = createIngestion({
    recordSource: new EmbeddedRecordSource(log, { ...ingest, ...standalone }, clock, logger),
    source: SOURCE,
    clickHouse,
    database: tables.database,
    cluster: null,
    deadLetterQueues: [],
    config: ingest,
    drainMs: stopRestMs(stopTimes) * STOP_DRAIN_SHARE,
    registry,
    clock,
    logger,
    observers,
  });
  const gateway = createGatewayParts({
    config: http,
    publisher: new EmbeddedReportPublisher(log, http, clock),
    metrics: createGatewayMetrics(registry),
    clock: receiptClock,
    logger,
  });
  const operations = new OperationsServer(
    {
      port: standalone.operationsPort,
      ...(standalone.operationsHost === null ? {} : { host: standalone.operationsHost }),
    },
    bothOf(gateway.health, ingestion),
    registry,
  );
  const bounds = {
    maxExecutionSecs: standalone.sqlMaxExecutionSecs,
    maxMemoryBytes: standalone.sqlMaxMemoryBytes,
    maxResultBytes: standalone.sqlMaxResultBytes,
    maxThreads: availableParallelism(),
  };
  const sql = new SqlServer(
    new ReadOnlyEngine(databasePath, bounds),
    {
      ...bounds,
      port: standalone.sqlPort,
      host: standalone.sqlHost,
      database: tables.database,
      maxQueries: standalone.sqlMaxQueries,
    },
    logger,
  );
  const insights = createPageServer({
    config: config.page,
    clickHouse: questioned,
    database: tables.database,
    // Where a browser on this machine reaches the gateway.
    reportingUrl: `http://localhost:${http.httpPort}`,
    registry,
    logger,
  });
  const lifecycle = new Lifecycle(
    [
      { name: "database", stop: () => clickHouse.close() },
      { name: "database of the page", stop: () => questioned.close() },
      { name: "log", stop: () => log.close() },
      operations,
      sql,
      insights,
      ingestion,
      ...gateway.parts,
    ],
    { logger, clock, stopDeadlineMs: standalone.shutdownTimeoutMs },
  );
  return { lifecycle, ingestion, gateway, operations, sql, insights, clickHouse };
}

/** Well when both are; the first that is not gives the reason. */
function bothOf(gateway: HealthSource, consumer: HealthSource): HealthSource {
  const both = (of: (source: HealthSource) => ReturnType<HealthSource["ready"]>) => {
    const [first, second] = [of(gateway), of(consumer)];
    const worse = first.ok ? second : first;
    return { ...worse, details: { gateway: first.details, consumer: second.details } };
  };
  return {
    live: () => both((source) => source.live()),
    ready: () => both((source) => source.ready()),
  };
}
