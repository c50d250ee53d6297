import {
  type Clock,
  createKafka,
  createLogger,
  DurableProducer,
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
import type { Kafka } from "kafkajs";
import { Registry } from "prom-client";
import { Accounting } from "./accounting.js";
import { createApp } from "./app.js";
import { GATEWAY_OPTION_GROUPS, type HttpConfig, type PublishConfig } from "./config.js";
import { KafkaReportPublisher } from "./kafka-report-publisher.js";
import { Lane, type LaneParts } from "./lane.js";
import { collectProcessMetrics, createGatewayMetrics, type GatewayMetrics } from "./metrics.js";
import { PartitionPicker } from "./publish/partition-picker.js";
import { TopicLeaders } from "./publish/topic-leaders.js";
import { WaitingRecords } from "./publish/waiting-records.js";
import { ReportIds } from "./report-id.js";
import type { ReportPublisher } from "./report-publisher.js";
import { createReportsRoute } from "./reports-route.js";
import { ConnectionFaults } from "./server/connection-faults.js";
import { createFastServer } from "./server/fast-server.js";
import { Readiness } from "./server/readiness.js";
import { ReportServer } from "./server/report-server.js";

/** What the HTTP side is made from; the same for Kafka and for the embedded log. */
export interface GatewayMaterials {
  readonly config: HttpConfig;
  readonly publisher: ReportPublisher;
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

/** How often node:http looks for requests that are late, ms. */
const TIMEOUT_CHECK_MS = 500;

/** Joins the parts that take reports over HTTP and hand them to `publisher`. */
export function createGatewayParts(materials: GatewayMaterials): GatewayParts {
  const { config, publisher, metrics, clock, logger } = materials;
  const accounting = new Accounting(metrics);
  const reportIds = new ReportIds(() => clock.now());
  const route = createReportsRoute({
    publisher,
    accounting,
    nextReportId: () => reportIds.next(),
    isBusy: () => accounting.inFlight > config.maxInFlightRequests || server.isFull,
    clock,
    logger,
    maxBodyBytes: config.maxBodyBytes,
  });
  const http = createFastServer(createApp(route, logger), {
    requireHostHeader: false,
    maxHeaderSize: config.maxHeaderBytes,
    headersTimeout: config.headersTimeoutMs,
    requestTimeout: Math.max(config.requestTimeoutMs, config.headersTimeoutMs),
    keepAliveTimeout: config.keepAliveMs,
    connectionsCheckingInterval: TIMEOUT_CHECK_MS,
  });
  new ConnectionFaults(accounting, clock).watch(http);
  const server: ReportServer = new ReportServer(
    http,
    { port: config.httpPort, host: config.httpHost, maxConnections: config.maxConnections },
    accounting,
    metrics.connections,
    clock,
  );
  const readiness = new Readiness(
    {
      details: () => ({
        queue: publisher.isHealthy() ? "taking records" : "away",
        inFlight: accounting.inFlight,
      }),
      onStopping: () => server.beginClosing(),
      clock,
    },
    config.shutdownDelayMs,
  );
  return { parts: [server, readiness], server, health: readiness };
}

/** What the publisher to Kafka is made from. */
export interface KafkaPublisherMaterials {
  readonly config: PublishConfig & Pick<HttpConfig, "answerDeadlineMs">;
  /** Its requests must end within {@link kafkaRequestTimeoutMs}. */
  readonly kafka: Kafka;
  readonly topic: string;
  readonly metrics: GatewayMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Attempts of kafkajs after the first: with the time of one request they fit into the answer's deadline. */
const SEND_RETRIES = 2;

/** How long a broker may take for one request, ms, so that {@link SEND_RETRIES} more fit into the deadline. */
function kafkaRequestTimeoutMs(answerDeadlineMs: number): number {
  return Math.ceil(answerDeadlineMs * 0.3);
}

/** Joins the parts that make records durable on a topic. */
export function createKafkaReportPublisher(
  materials: KafkaPublisherMaterials,
): KafkaReportPublisher {
  const { config, kafka, topic, metrics, clock, logger } = materials;
  const { answerDeadlineMs } = config;
  const leaders = new TopicLeaders(kafka, topic, clock, logger);
  const waiting = new WaitingRecords();
  const now = () => clock.now();
  const shared: LaneParts = {
    waiting,
    picker: new PartitionPicker(leaders, now, Math.floor(Math.random() * 1_000)),
    createProducer: () =>
      new DurableProducer(
        kafka,
        {
          topic,
          ackTimeoutMs: kafkaRequestTimeoutMs(answerDeadlineMs),
          retries: SEND_RETRIES,
          compression: config.compression,
        },
        logger,
      ),
    onTrouble: () => leaders.refreshSoon(),
    observer: {
      sent: ({ records, bytes, tookMs }) => {
        metrics.batchRecords.observe(records);
        metrics.batchBytes.observe(bytes);
        metrics.kafkaSendSeconds.observe(tookMs / 1_000);
      },
      failed: (code) => metrics.kafkaSendErrors.inc({ code }),
    },
    clock,
    logger,
  };
  const limits = {
    maxBatchBytes: config.maxBatchBytes,
    connectTimeoutMs: answerDeadlineMs,
    sendTimeoutMs: answerDeadlineMs * 2,
  };
  const lanes = Array.from({ length: config.lanes }, () => new Lane(shared, limits));
  const publisher = new KafkaReportPublisher({ lanes, waiting, leaders }, config, clock);
  metrics.watchWaitingBytes(() => publisher.waitingBytes);
  return publisher;
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
    readFile,
  );
  const publisher = createKafkaReportPublisher({
    config: gateway,
    kafka,
    topic: config.kafka.topic,
    metrics,
    clock,
    logger,
  });
  const { parts, health } = createGatewayParts({
    config: gateway,
    publisher,
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
