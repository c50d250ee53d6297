import type { IncomingMessage } from "node:http";
import {
  type Clock,
  collectProcessMetrics,
  createKafka,
  createLogger,
  type Environment,
  type HealthSource,
  Lifecycle,
  type Logger,
  OperationsServer,
  type Part,
  readConfigGroups,
  type Service,
  systemClock,
} from "@push-reports/service-kit";
import { Registry } from "prom-client";
import { Accounting } from "./accounting.js";
import { Admission } from "./admission.js";
import { createApp, createAppListener } from "./app.js";
import { GATEWAY_OPTION_GROUPS, type HttpConfig } from "./config.js";
import { createPublisher, kafkaRequestTimeoutMs } from "./create-publisher.js";
import { guardInstances } from "./guarded-instances.js";
import { InstanceFile } from "./instance-file.js";
import { ANY_INSTANCE, type Instances, listedInstances } from "./instances.js";
import { createGatewayMetrics, type GatewayMetrics } from "./metrics.js";
import { ReportIds } from "./report-id.js";
import type { ReportPublisher } from "./report-publisher.js";
import { createReportsRoute } from "./reports-route.js";
import { LATENESS_CHECK_MS } from "./server/close-connections.js";
import { ConnectionFaults } from "./server/connection-faults.js";
import { createFastServer } from "./server/fast-server.js";
import { LargeRequests } from "./server/large-requests.js";
import { OpenConnections } from "./server/open-connections.js";
import { connectionsWithin, openFilesLimit } from "./server/open-files.js";
import { Readiness } from "./server/readiness.js";
import { refuseEarly } from "./server/refuse-early.js";
import { ReportServer } from "./server/report-server.js";
import { WorkTurns } from "./server/work-turns.js";
import { stopAnswersMs, stopRestMs } from "./stop-times.js";

/** What the HTTP side is made from; the same for Kafka and for the embedded log. */
export interface GatewayMaterials {
  readonly config: HttpConfig;
  readonly publisher: ReportPublisher;
  /** What the readiness page says of the publisher besides whether it takes records. */
  readonly details?: () => Readonly<Record<string, unknown>>;
  readonly metrics: GatewayMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The HTTP side, made. */
export interface GatewayParts {
  /** To be started in this order, after the publisher, and stopped in reverse before it. */
  readonly parts: readonly Part[];
  readonly server: ReportServer;
  readonly health: HealthSource;
}

/** Judging reports, once they queue. Slices are short, since one new connection is accepted a turn, but where much else makes turns long. */
const WORK_TURNS = { sliceMs: 2, share: 0.3, maxSliceMs: 100, maxWaitMs: 1_500 };

/** Of what a stop has left for the publisher, how much may go into draining its spill. */
const STOP_DRAIN_SHARE = 0.6;

/** Joins the parts that take reports over HTTP and hand them to `publisher`. */
export function createGatewayParts(materials: GatewayMaterials): GatewayParts {
  const { config, publisher, metrics, clock, logger } = materials;
  const accounting = new Accounting(metrics);
  const reportIds = new ReportIds(() => clock.now());
  const turns = new WorkTurns(WORK_TURNS);
  const admission = new Admission(config, () => turns.isBehind);
  const { instances: listed, file } = createInstances(config, clock, logger);
  const instances = guardInstances(listed, config.canarySecret);
  const maxConnections = connectionsWithin(config.maxConnections, openFilesLimit());
  if (maxConnections < config.maxConnections)
    logger.warn("max_connections_lowered", {
      configured: config.maxConnections,
      to: maxConnections,
      reason: "the process may not open more files: raise its limit (ulimit -n)",
    });
  const connections = new OpenConnections();
  const isExcess = (req: IncomingMessage) => server.isFull && connections.of(req.socket).isExcess;
  const route = createReportsRoute({
    publisher,
    accounting,
    nextReportId: () => reportIds.next(),
    admission,
    largeRequests: new LargeRequests(config.maxLargeRequestsBytes),
    isExcess,
    turns,
    instances,
    clock,
    logger,
    maxBodyBytes: config.maxBodyBytes,
  });
  const app = createApp(route, config.trustProxy, turns);
  const http = createFastServer(
    app,
    {
      requireHostHeader: false,
      maxHeaderSize: config.maxHeaderBytes,
      headersTimeout: config.headersTimeoutMs,
      requestTimeout: Math.max(config.requestTimeoutMs, config.headersTimeoutMs),
      keepAliveTimeout: config.keepAliveMs,
      connectionsCheckingInterval: LATENESS_CHECK_MS,
    },
    connections.bounded(
      refuseEarly(createAppListener(app, logger), { admission, isExcess, accounting, clock }),
    ),
  );
  new ConnectionFaults(connections, accounting, clock).watch(http, config.answerDeadlineMs);
  const server: ReportServer = new ReportServer(
    http,
    {
      port: config.httpPort,
      host: config.httpHost,
      maxConnections,
      maxStopMs: stopAnswersMs(config),
    },
    connections,
    accounting,
    metrics.connections,
    clock,
  );
  const readiness = new Readiness(
    {
      details: () => ({
        queue: publisher.isHealthy() ? "taking records" : "away",
        isOverloaded: admission.isFull || server.isFull,
        inFlight: accounting.inFlight,
        connections: server.open,
        ...(file === null ? {} : { instances: file.problem ?? "as in the file" }),
        ...materials.details?.(),
      }),
      onStopping: () => server.beginClosing(),
      clock,
    },
    config.shutdownDelayMs,
  );
  const parts = [...(file === null ? [] : [file]), server, readiness];
  return { parts, server, health: readiness };
}

/** Who may report; `file` must be started first. */
function createInstances(
  { instanceIds, instanceIdsFile }: HttpConfig,
  clock: Clock,
  logger: Logger,
): { readonly instances: Instances; readonly file: InstanceFile | null } {
  if (instanceIdsFile === null)
    return {
      instances: instanceIds === null ? ANY_INSTANCE : listedInstances(instanceIds),
      file: null,
    };
  const file = new InstanceFile(instanceIdsFile, listedInstances(instanceIds ?? []), clock, logger);
  return { instances: file, file };
}

/** The gateway as a process: HTTP in, Kafka out. @throws ConfigError */
export function createGatewayService(
  environment: Environment,
  readFile: (path: string) => string,
): Service {
  const config = readConfigGroups(GATEWAY_OPTION_GROUPS, environment, readFile);
  const { gateway } = config;
  const clock = systemClock;
  const logger = createLogger({ service: "gateway", level: gateway.logLevel });
  const registry = new Registry();
  collectProcessMetrics(registry);
  const metrics = createGatewayMetrics(registry);
  const kafka = createKafka(
    config.kafka,
    { requestTimeoutMs: kafkaRequestTimeoutMs(gateway.answerDeadlineMs) },
    logger,
  );
  const { publisher, details } = createPublisher({
    config: gateway,
    kafka,
    topic: config.kafka.topic,
    stopDrainMs: stopRestMs(gateway) * STOP_DRAIN_SHARE,
    metrics,
    clock,
    logger,
  });
  const { parts, health } = createGatewayParts({
    config: gateway,
    publisher,
    details,
    metrics,
    clock,
    logger,
  });
  const operations = new OperationsServer({ port: gateway.operationsPort }, health, registry);
  const lifecycle = new Lifecycle([operations, publisher, ...parts], {
    logger,
    clock,
    stopDeadlineMs: gateway.shutdownTimeoutMs,
  });
  return {
    logger,
    failed: new Promise<Error>(() => {}),
    start: () => lifecycle.start(),
    stop: () => lifecycle.stop(),
  };
}
