import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import {
  type ClickHouseClient,
  type ClickHouseClientConfigOptions,
  ClickHouseLogLevel,
  createClient,
} from "@clickhouse/client";
import {
  createIngestion,
  type Ingestion,
  migrate,
  readMigrations,
  SQL_FOLDER,
} from "@push-reports/consumer";
import { openEmbeddedLog } from "@push-reports/embedded-log";
import { createGatewayMetrics, createGatewayParts, type GatewayParts } from "@push-reports/gateway";
import {
  type ConfigOfGroups,
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
import { createChdbConnection } from "chdb/connection";
import { collectDefaultMetrics, Registry } from "prom-client";
import { bannerOf } from "./banner.js";
import { STANDALONE_OPTION_GROUPS } from "./config.js";
import { EmbeddedRecordSource } from "./embedded-record-source.js";
import { EmbeddedReportPublisher } from "./embedded-report-publisher.js";

type StandaloneConfig = ConfigOfGroups<typeof STANDALONE_OPTION_GROUPS>;

/** Value of the column `source`: there is one log, made once with the data folder. */
const SOURCE = "embedded.push-reports.1";

/**
 * Gateway, log, consumer and database in one process. @param print shows people where it can be reached.
 * @throws ConfigError
 */
export function createStandaloneService(
  environment: Environment,
  readFile: (path: string) => string,
  print: (text: string) => void,
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
      const made = await createStandalone(config, logger);
      lifecycle = made.lifecycle;
      made.ingestion.failed.then(fail, fail);
      await lifecycle.start();
      print(
        bannerOf({
          httpPort: made.gateway.server.port,
          operationsPort: made.operations.port,
          dataDir: resolve(config.standalone.dataDir),
          now: Math.floor(systemClock.now() / 1_000),
        }),
      );
    },
    stop: async () => lifecycle?.stop(),
  };
}

interface Standalone {
  readonly lifecycle: Lifecycle;
  readonly ingestion: Ingestion;
  readonly gateway: GatewayParts;
  readonly operations: OperationsServer;
}

/** Opens the data folder and joins all parts; the last started is the one that takes requests. */
async function createStandalone(config: StandaloneConfig, logger: Logger): Promise<Standalone> {
  const { standalone, http, ingest, tables } = config;
  const clock = systemClock;
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const dataDir = resolve(standalone.dataDir);
  mkdirSync(dataDir, { recursive: true });
  const log = await openEmbeddedLog({
    path: join(dataDir, "log"),
    maxBytes: standalone.maxLogBytes,
    maxWaitingBytes: standalone.maxWaitingBytes,
  });
  const clickHouse = openDatabase(join(dataDir, "clickhouse"));
  await migrate(clickHouse, readMigrations(SQL_FOLDER), tables, logger);
  const ingestion = createIngestion({
    recordSource: new EmbeddedRecordSource(log, standalone, clock, logger),
    source: SOURCE,
    clickHouse,
    database: tables.database,
    deadLetterQueues: [],
    config: ingest,
    drainMs: standalone.shutdownTimeoutMs * 0.4,
    registry,
    clock,
    logger,
  });
  const gateway = createGatewayParts({
    config: http,
    publisher: new EmbeddedReportPublisher(log),
    metrics: createGatewayMetrics(registry),
    clock,
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
  const lifecycle = new Lifecycle(
    [
      { name: "database", stop: () => clickHouse.close() },
      { name: "log", stop: () => log.close() },
      operations,
      ingestion,
      ...gateway.parts,
    ],
    { logger, clock, stopDeadlineMs: standalone.shutdownTimeoutMs },
  );
  return { lifecycle, ingestion, gateway, operations };
}

function openDatabase(path: string): ClickHouseClient {
  // The two packages declare the same interface, but not for exactOptionalPropertyTypes.
  const connection = createChdbConnection({ path }) as unknown;
  return createClient({
    connection: connection as NonNullable<ClickHouseClientConfigOptions["connection"]>,
    log: { level: ClickHouseLogLevel.OFF },
  });
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
