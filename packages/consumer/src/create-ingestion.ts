import type { ClickHouseClient } from "@clickhouse/client";
import type { Clock, Logger } from "@push-reports/service-kit";
import type { Registry } from "prom-client";
import { ActivityClock } from "./activity-clock.js";
import { Backlog } from "./backlog.js";
import { BacklogWatch } from "./backlog-watch.js";
import { BadShareBreaker } from "./bad-share-breaker.js";
import { ClickHouseDeadLetters } from "./clickhouse-dead-letters.js";
import { ClickHouseFreshness } from "./clickhouse-freshness.js";
import { ClickHouseJudgedRecords } from "./clickhouse-judged-records.js";
import { ClickHouseLedger } from "./clickhouse-ledger.js";
import { clusterSettings } from "./clickhouse-options.js";
import { ClickHouseReportWriter } from "./clickhouse-report-writer.js";
import { ClickHouseStatements } from "./clickhouse-statements.js";
import { ClickHouseStoredReports } from "./clickhouse-stored-reports.js";
import type { DeadLetters } from "./dead-letters.js";
import type { IngestObserver } from "./ingest-observer.js";
import type { IngestConfig } from "./ingest-options.js";
import { Ingestion } from "./ingestion.js";
import { InsertPacer } from "./insert-pacer.js";
import { DeadLettersInOrder } from "./kafka-dead-letters.js";
import { createConsumerMetrics } from "./metrics.js";
import { MetricsObserver, Observers } from "./observe-metrics.js";
import { ProgressWatch } from "./progress-watch.js";
import type { RecordSource } from "./record-source.js";
import { TimedReportWriter } from "./timed-report-writer.js";
import { UsualInsertTime } from "./usual-insert-time.js";
import { ViewWatch } from "./view-watch.js";
import { WriteRetrier } from "./write-retrier.js";

/** What ingestion is made from; the same for Kafka and for the embedded log. */
export interface IngestionMaterials {
  readonly recordSource: RecordSource;
  /** Value of the column `source`. */
  readonly source: string;
  readonly clickHouse: ClickHouseClient;
  readonly database: string;
  /** Cluster that has the tables; null for a single server. */
  readonly cluster: string | null;
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
    ...clusterSettings({ cluster: materials.cluster }),
  });
  const progress = new ProgressWatch(clock);
  const backlog = new Backlog(clock);
  const breaker = new BadShareBreaker(
    { windowRecords: config.badWindowRecords, maxPercent: config.maxBadPercent },
    clock,
    logger,
    progress,
  );
  const activities = new ActivityClock(
    clock,
    (activity, seconds) => metrics.activitySeconds.inc({ activity }, seconds),
    (partition) => backlog.lagRecords(partition) >= config.maxRangeRows,
    () => breaker.heldRange() !== null,
  );
  const usualInsert = new UsualInsertTime(clock);
  const pace = new InsertPacer(clock, config.maxInsertsPerSecond);
  const retrier = new WriteRetrier(
    clock,
    logger,
    {
      passing: { initialMs: 100, maxMs: 5_000 },
      misconfigured: { initialMs: 2_000, maxMs: 10_000 },
    },
    {
      retried: (operation, failure, partition) => {
        progress.retried(partition);
        metrics.writeRetries.inc({ operation, failure });
      },
    },
  );
  const at = { database, source };
  const writer = new TimedReportWriter(
    new ClickHouseReportWriter(
      statements,
      { ...at, isReplicated: materials.cluster !== null },
      clock,
    ),
    clock,
    (seconds) => metrics.insertSeconds.observe(seconds),
  );
  const parts = {
    source,
    writer,
    viewWatch: new ViewWatch(writer, retrier),
    deadLetters: new DeadLettersInOrder([
      ...materials.deadLetterQueues,
      new ClickHouseDeadLetters(statements),
    ]),
    ledger: new ClickHouseLedger(statements, at),
    storedReports: new ClickHouseStoredReports(statements, at),
    judgedRecords: new ClickHouseJudgedRecords(statements, at, clock),
    breaker,
    retrier,
    observer: new Observers([
      new MetricsObserver(metrics, clock),
      progress,
      backlog,
      activities,
      usualInsert,
      ...(materials.observers ?? []),
    ]),
    clock,
    logger,
    insertTimeoutMs: config.insertTimeoutMs,
    tokenTrustMs: config.insertTimeoutMs * TOKEN_TRUST_TIMEOUTS,
    limits: () => ({
      maxRecords: config.maxRangeRows,
      maxBytes: config.maxRangeBytes,
      maxDelayMs: config.maxDelayMs,
      insertMs: usualInsert.ms ?? config.maxDelayMs,
      pace,
    }),
  };
  const freshness = new ClickHouseFreshness(statements);
  const backlogWatch = new BacklogWatch(
    materials.recordSource,
    backlog,
    { publish: (entries) => retrier.once("freshness", () => freshness.publish(entries)) },
    { source, intervalMs: config.freshnessIntervalMs, receiptMarginMs: config.freshnessMarginMs },
    clock,
    logger,
  );
  const watches = { progress, backlog, backlogWatch, activities };
  return new Ingestion(materials.recordSource, parts, watches, metrics, {
    stallTimeoutMs: config.stallTimeoutMs,
    drainMs: materials.drainMs,
  });
}
