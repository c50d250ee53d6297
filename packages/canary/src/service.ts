import { createClickHouse } from "@push-reports/consumer";
import {
  collectProcessMetrics,
  createLogger,
  type Environment,
  Lifecycle,
  OperationsServer,
  readConfigGroups,
  type Service,
  systemClock,
} from "@push-reports/service-kit";
import { Registry } from "prom-client";
import { Canary } from "./canary.js";
import { CANARY_OPTION_GROUPS } from "./config.js";
import { createCanaryMetrics } from "./metrics.js";
import { QueryableRows } from "./queryable-rows.js";
import { sendCanary } from "./send-canary.js";

/** How long one look may take, ms. */
const LOOK_TIMEOUT_MS = 10_000;

/** The canary as a process. @throws ConfigError */
export function createCanaryService(
  environment: Environment,
  readFile: (path: string) => string,
): Service {
  const config = readConfigGroups(CANARY_OPTION_GROUPS, environment, readFile);
  const { canary: options, database } = config;
  const clock = systemClock;
  const logger = createLogger({ service: "canary", level: options.logLevel });
  const registry = new Registry();
  collectProcessMetrics(registry);
  const limits = { insertTimeoutMs: LOOK_TIMEOUT_MS, maxConnections: 1 };
  const clickHouse = createClickHouse(config.clickHouse, limits, logger);
  const rows = new QueryableRows(clickHouse, database.database);
  const target = { url: options.canaryUrl, secret: options.canarySecret };
  const canary = new Canary(
    {
      send: (deviceId, at, stopped) => sendCanary(target, deviceId, at, stopped),
      rowsAmong: (deviceIds) => rows.among(deviceIds),
      metrics: createCanaryMetrics(registry),
      clock,
      logger,
    },
    {
      reports: options.reports,
      intervalMs: options.intervalSecs * 1_000,
      missingAfterMs: options.missingAfterSecs * 1_000,
    },
  );
  const operations = new OperationsServer({ port: options.operationsPort }, canary, registry);
  const lifecycle = new Lifecycle(
    [{ name: "clickhouse-client", stop: () => clickHouse.close() }, operations, canary],
    { logger, clock, stopDeadlineMs: options.shutdownTimeoutMs },
  );
  return {
    logger,
    failed: new Promise<Error>(() => {}),
    start: () => lifecycle.start(),
    stop: () => lifecycle.stop(),
  };
}
