import type { ClickHouseClient } from "@clickhouse/client";
import { CLICKHOUSE_OPTIONS, createClickHouse, TABLE_OPTIONS } from "@push-reports/consumer";
import {
  type ConfigOfGroups,
  collectProcessMetrics,
  createLogger,
  type Environment,
  type Health,
  type HealthSource,
  Lifecycle,
  type Logger,
  logLevelOption,
  OperationsServer,
  operationsPortOption,
  readConfigGroups,
  type Service,
  shutdownTimeoutOption,
  systemClock,
  urlOption,
} from "@push-reports/service-kit";
import { Registry } from "prom-client";
import { accountOf } from "./account.js";
import { createApp } from "./app.js";
import { Asker } from "./asker.js";
import { PAGE_OPTIONS, type PageConfig } from "./config.js";
import { createInsightsMetrics } from "./metrics.js";
import { PageServer } from "./page-server.js";

/** Options of the page as a service of its own. */
const SERVICE_OPTIONS = {
  reportingUrl: urlOption({
    name: "INSIGHTS_REPORTING_URL",
    about: "Where reports are sent, for the example that the page shows while it has none.",
    fallback: "http://localhost:8080",
  }),
  operationsPort: operationsPortOption(8_083),
  shutdownTimeoutMs: shutdownTimeoutOption("How long a stop may take in all.", 5_000),
  logLevel: logLevelOption("info"),
} as const;

/** Everything that the page as a service reads from its environment, by theme. */
export const INSIGHTS_OPTION_GROUPS = {
  page: PAGE_OPTIONS,
  service: SERVICE_OPTIONS,
  clickHouse: CLICKHOUSE_OPTIONS,
  database: { database: TABLE_OPTIONS.database },
} as const;

/** What the page is made from, for a ClickHouse server and for an embedded engine. */
export interface PageMaterials {
  readonly config: PageConfig;
  readonly clickHouse: ClickHouseClient;
  readonly database: string;
  /** Where reports are sent. */
  readonly reportingUrl: string;
  readonly registry: Registry;
  readonly logger: Logger;
}

/** Joins the parts of the page; it listens once started. @throws ConfigError */
export function createPageServer(materials: PageMaterials): PageServer {
  const { config, clickHouse, database, reportingUrl, registry, logger } = materials;
  const asker = new Asker(clickHouse, createInsightsMetrics(registry), {
    database,
    maxQuestions: config.insightsMaxQuestions,
    timeoutSecs: config.insightsQuestionTimeoutSecs,
  });
  const app = createApp({
    asker,
    account: accountOf(config),
    reportingUrl,
    logger,
  });
  return new PageServer(app, { port: config.insightsPort, host: config.insightsHost });
}

/** The page as a process. @throws ConfigError */
export function createInsightsService(
  environment: Environment,
  readFile: (path: string) => string,
): Service {
  const config: ConfigOfGroups<typeof INSIGHTS_OPTION_GROUPS> = readConfigGroups(
    INSIGHTS_OPTION_GROUPS,
    environment,
    readFile,
  );
  const { page, service, database } = config;
  const logger = createLogger({ service: "insights", level: service.logLevel });
  const registry = new Registry();
  collectProcessMetrics(registry);
  const clickHouse = createClickHouse(
    config.clickHouse,
    {
      insertTimeoutMs: page.insightsQuestionTimeoutSecs * 1_000,
      maxConnections: page.insightsMaxQuestions,
    },
    logger,
  );
  const server = createPageServer({
    config: page,
    clickHouse,
    database: database.database,
    reportingUrl: service.reportingUrl,
    registry,
    logger,
  });
  const operations = new OperationsServer({ port: service.operationsPort }, WELL, registry);
  const lifecycle = new Lifecycle(
    [{ name: "clickhouse-client", stop: () => clickHouse.close() }, operations, server],
    { logger, clock: systemClock, stopDeadlineMs: service.shutdownTimeoutMs },
  );
  return {
    logger,
    failed: new Promise<Error>(() => {}),
    start: () => lifecycle.start(),
    stop: () => lifecycle.stop(),
  };
}

/** A page whose database is away can still say so: it is well as long as it answers. */
const WELL: HealthSource = {
  live: (): Health => ({ ok: true }),
  ready: (): Health => ({ ok: true }),
};
