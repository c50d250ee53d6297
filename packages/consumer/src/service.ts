import type { ClickHouseClient } from "@clickhouse/client";
import {
  type Clock,
  createKafka,
  createLogger,
  DurableProducer,
  type Environment,
  Lifecycle,
  type Logger,
  OperationsServer,
  readConfigGroups,
  type Service,
  systemClock,
} from "@push-reports/service-kit";
import { Registry } from "prom-client";
import { createClickHouse } from "./clickhouse-client.js";
import { ClickHouseDeadLetters } from "./clickhouse-dead-letters.js";
import { ClickHouseLedger } from "./clickhouse-ledger.js";
import { ClickHouseReportWriter } from "./clickhouse-report-writer.js";
import { ClickHouseStatements } from "./clickhouse-statements.js";
import { ClickHouseStoredReports } from "./clickhouse-stored-reports.js";
import { CONSUMER_OPTION_GROUPS, type IngestConfig } from "./config.js";
import type { DeadLetters } from "./dead-letters.js";
import type { IngestObserver } from "./ingest-range.js";
import { Ingestion } from "./ingestion.js";
import { DeadLettersInOrder, KafkaDeadLetters } from "./kafka-dead-letters.js";
import { KafkaRecordSource } from "./kafka-record-source.js";
import { collectProcessMetrics, createConsumerMetrics } from "./metrics.js";
import { MetricsObserver, Observers } from "./observe-metrics.js";
import { ProgressWatch } from "./progress-watch.js";
import type { RecordSource } from "./record-source.js";
import { WriteRetrier } from "./write-retrier.js";

/** What ingestion is made from; the same for Kafka and for the embedded log. */
export interface IngestionMaterials {
  readonly recordSource: RecordSource;
  /** Value of the column `source`. */
  readonly source: string;
  readonly clickHouse: ClickHouseClient;
  readonly database: string;
  /** Where dead letters go before they go to the table of that name. */
  readonly deadLetterQueues: readonly DeadLetters[];
  readonly config: IngestConfig;
  readonly drainMs: number;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Hears of every step before the protocol goes on; for fault tests. */
  readonly observers?: readonly IngestObserver[];
}

/** A range's token is trusted for so many insert timeouts; the deduplication windows must hold at least as many inserts. */
const TOKEN_TRUST_TIMEOUTS = 10;

/** Joins the parts of ingestion. */
export function createIngestion(materials: IngestionMaterials): Ingestion {
  const { source, database, config, clock, logger } = materials;
  const metrics = createConsumerMetrics(materials.registry);
  const statements = new ClickHouseStatements(materials.clickHouse, {
    database,
    maxExecutionSecs: Math.ceil(config.insertTimeoutMs / 1_000),
    insertSettings: [],
    readSettings: [],
  });
  const progress = new ProgressWatch(clock);
  const retrier = new WriteRetrier(
    clock,
    logger,
    {
      passing: { initialMs: 100, maxMs: 5_000 },
      misconfigured: { initialMs: 2_000, maxMs: 10_000 },
    },
    {
      retried: (operation, failure) => {
        progress.retried();
        metrics.writeRetries.inc({ operation, failure });
      },
    },
  );
  const at = { database, source };
  const parts = {
    source,
    writer: new ClickHouseReportWriter(statements),
    deadLetters: new DeadLettersInOrder([
      ...materials.deadLetterQueues,
      new ClickHouseDeadLetters(statements),
    ]),
    ledger: new ClickHouseLedger(statements, at),
    storedReports: new ClickHouseStoredReports(statements, at),
    retrier,
    observer: new Observers([
      new MetricsObserver(metrics, clock),
      progress,
      ...(materials.observers ?? []),
    ]),
    clock,
    logger,
    tokenTrustMs: config.insertTimeoutMs * TOKEN_TRUST_TIMEOUTS,
    limits: () => ({
      maxRecords: config.maxRangeRows,
      maxBytes: config.maxRangeBytes,
      // Many partitions with little traffic each would otherwise drown ClickHouse in small parts.
      maxDelayMs: Math.max(
        config.maxDelayMs,
        (1_000 * ingestion.partitions) / config.maxInsertsPerSecond,
      ),
    }),
  };
  const ingestion: Ingestion = new Ingestion(materials.recordSource, parts, progress, metrics, {
    stallTimeoutMs: config.stallTimeoutMs,
    drainMs: materials.drainMs,
  });
  return ingestion;
}

/** The consumer as a process: Kafka in, ClickHouse out. @throws ConfigError */
export function createConsumerService(
  environment: Environment,
  readFile: (path: string) => string,
  observers: readonly IngestObserver[] = [],
): Service {
  const config = readConfigGroups(CONSUMER_OPTION_GROUPS, environment, readFile);
  const { consumer, tables } = config;
  const clock = systemClock;
  const logger = createLogger({ service: "consumer", level: consumer.logLevel });
  const registry = new Registry();
  collectProcessMetrics(registry);
  const kafka = createKafka(
    config.kafka,
    { requestTimeoutMs: consumer.requestTimeoutMs },
    logger,
    readFile,
  );
  const clickHouse = createClickHouse(
    config.clickHouse,
    { insertTimeoutMs: consumer.insertTimeoutMs, maxConnections: 16 },
    logger,
    readFile,
  );
  const deadLetterProducer = new DurableProducer(
    kafka,
    { topic: consumer.deadLetterTopic, ackTimeoutMs: consumer.requestTimeoutMs, retries: 2 },
    logger,
  );
  const ingestion = createIngestion({
    recordSource: new KafkaRecordSource(
      kafka,
      { ...consumer, topic: config.kafka.topic },
      clock,
      logger,
    ),
    source: consumer.source,
    clickHouse,
    database: tables.database,
    deadLetterQueues: [new KafkaDeadLetters(deadLetterProducer)],
    config: consumer,
    // The rest of the time is for leaving the group and closing connections.
    drainMs: consumer.shutdownTimeoutMs * 0.7,
    registry,
    clock,
    logger,
    observers,
  });
  const operations = new OperationsServer({ port: consumer.operationsPort }, ingestion, registry);
  const lifecycle = new Lifecycle(
    [
      { name: "clickhouse-client", stop: () => clickHouse.close() },
      { name: "dead-letter-producer", stop: () => deadLetterProducer.close() },
      operations,
      ingestion,
    ],
    { logger, clock, stopDeadlineMs: consumer.shutdownTimeoutMs },
  );
  return {
    logger,
    failed: ingestion.failed,
    start: () => lifecycle.start(),
    stop: () => lifecycle.stop(),
  };
}
