import {
  collectProcessMetrics,
  createKafka,
  createLogger,
  DurableProducer,
  type Environment,
  Lifecycle,
  OperationsServer,
  readConfigGroups,
  type Service,
  systemClock,
} from "@push-reports/service-kit";
import { Registry } from "prom-client";
import { createClickHouse } from "./clickhouse-client.js";
import { CONSUMER_OPTION_GROUPS } from "./config.js";
import { createIngestion } from "./create-ingestion.js";
import { DiskWatch } from "./disk-watch.js";
import type { IngestObserver } from "./ingest-observer.js";
import {
  DEAD_LETTER_REQUESTS,
  DEAD_LETTER_RETRIES,
  KafkaDeadLetters,
} from "./kafka-dead-letters.js";
import { KafkaRecordSource } from "./kafka-record-source.js";
import { createDiskGauge } from "./metrics.js";

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
  const kafka = createKafka(config.kafka, { requestTimeoutMs: consumer.requestTimeoutMs }, logger);
  const clickHouse = createClickHouse(
    config.clickHouse,
    { insertTimeoutMs: consumer.insertTimeoutMs, maxConnections: 16 },
    logger,
  );
  const deadLetters = new KafkaDeadLetters({
    createProducer: () =>
      new DurableProducer(
        kafka,
        {
          topic: consumer.deadLetterTopic,
          ackTimeoutMs: consumer.requestTimeoutMs,
          retries: DEAD_LETTER_RETRIES,
        },
        logger,
      ),
    sendTimeoutMs: consumer.requestTimeoutMs * DEAD_LETTER_REQUESTS,
    clock,
    logger,
  });
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
    cluster: config.clickHouse.cluster,
    deadLetterQueues: [deadLetters],
    config: consumer,
    // The rest of the time is for leaving the group and closing connections.
    drainMs: consumer.shutdownTimeoutMs * 0.7,
    registry,
    clock,
    logger,
    observers,
  });
  const diskFree = createDiskGauge(registry);
  const onLook = (freeShare: number) => diskFree.set(freeShare);
  const disks = new DiskWatch({ clickHouse, onLook, clock, logger });
  const operations = new OperationsServer({ port: consumer.operationsPort }, ingestion, registry);
  const lifecycle = new Lifecycle(
    [
      { name: "clickhouse-client", stop: () => clickHouse.close() },
      { name: "dead-letter-producer", stop: () => deadLetters.close() },
      disks,
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
