import {
  checkEmbeddedLog,
  type EmbeddedLog,
  type EmbeddedLogOptions,
  openEmbeddedLog,
} from "@push-reports/embedded-log";
import {
  type Clock,
  DurableProducer,
  type Logger,
  type Part,
  type ProducerIdentity,
} from "@push-reports/service-kit";
import type { Kafka } from "kafkajs";
import type { GatewayConfig } from "./config.js";
import { KafkaReportPublisher } from "./kafka-report-publisher.js";
import { Lane, type LaneObserver, type LaneParts } from "./lane.js";
import type { GatewayMetrics } from "./metrics.js";
import { DrainRate } from "./publish/drain-rate.js";
import { KafkaProblem } from "./publish/kafka-problem.js";
import { PartitionPicker } from "./publish/partition-picker.js";
import { TopicLeaders } from "./publish/topic-leaders.js";
import { WaitingRecords } from "./publish/waiting-records.js";
import type { ReportPublisher } from "./report-publisher.js";
import { HandOver } from "./spill/hand-over.js";
import { SpillDrain } from "./spill/spill-drain.js";
import { describeSpill, readSpillFigures, type SpillFigures } from "./spill/spill-figures.js";
import { SpillStore } from "./spill/spill-store.js";
import { SpillingReportPublisher } from "./spilling-report-publisher.js";

/** What a publisher is made from. */
export interface PublisherMaterials {
  readonly config: Pick<
    GatewayConfig,
    | "answerDeadlineMs"
    | "compression"
    | "lanes"
    | "maxBatchBytes"
    | "maxWaitingBytes"
    | "spillDir"
    | "spillMaxBytes"
  >;
  /** Its requests must end within {@link kafkaRequestTimeoutMs}. */
  readonly kafka: Kafka;
  readonly topic: string;
  /** How long a stop goes on draining the spill, ms. */
  readonly stopDrainMs: number;
  readonly metrics: GatewayMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A publisher, made. */
export interface MadePublisher {
  readonly publisher: ReportPublisher & Required<Pick<Part, "name" | "start" | "stop">>;
  /** For the readiness page. */
  readonly details: () => Readonly<Record<string, unknown>>;
}

/** A publisher with a spill, made. */
export interface MadeSpillingPublisher extends MadePublisher {
  readonly figures: () => SpillFigures;
}

/** Attempts of kafkajs after the first: with the time of one request they fit into the answer's deadline. */
const SEND_RETRIES = 2;

/** How long a broker may take for one request, ms, so that {@link SEND_RETRIES} more fit into the deadline. */
export function kafkaRequestTimeoutMs(answerDeadlineMs: number): number {
  return Math.ceil(answerDeadlineMs * 0.3);
}

/** Joins the parts that make records durable: on the topic, and with SPILL_DIR on disk while the topic cannot take them. */
export function createPublisher(materials: PublisherMaterials): MadePublisher {
  const { spillDir } = materials.config;
  if (spillDir !== null) return createSpillingPublisher(materials, spillDir);
  const { direct, problem } = createKafkaSide(materials, 1);
  return { publisher: direct, details: () => describeKafka(problem) };
}

/** What somebody has to mend, when something is known. */
function describeKafka({ reason }: KafkaProblem): Readonly<Record<string, unknown>> {
  return reason === null ? {} : { kafka: reason };
}

/** Of the answer's deadline, what a record may wait for Kafka before it is spilled: the rest is for the disk. */
const DIRECT_SHARE = 0.5;

/** Joins the parts of a publisher with a spill in `folder`. */
export function createSpillingPublisher(
  materials: PublisherMaterials,
  folder: string,
): MadeSpillingPublisher {
  const { config, stopDrainMs, metrics, clock, logger } = materials;
  const { direct, leaders, problem, picker, createProducer, limits, onTrouble, observer } =
    createKafkaSide(materials, DIRECT_SHARE);
  const { spillMaxBytes: maxBytes, maxWaitingBytes, answerDeadlineMs } = config;
  const store = new SpillStore(
    { folder, maxBytes, maxWaitingBytes, openLog: openCheckedLog },
    clock,
    logger,
  );
  const handOver = new HandOver(clock);
  const drain = new SpillDrain(
    {
      store,
      handOver,
      leaders,
      picker,
      createProducer: () => createProducer(),
      createProducerAs: createProducer,
      onTrouble,
      observer,
      problem,
      onDrained: (records) => metrics.spillDrainedRecords.inc(records),
      clock,
      logger,
    },
    limits,
  );
  const publisher = new SpillingReportPublisher(
    {
      direct,
      store,
      drain,
      handOver,
      onSpillError: (code) => metrics.spillErrors.inc({ code }),
      clock,
      logger,
    },
    { answerDeadlineMs, stopDrainMs },
  );
  const figures = () => readSpillFigures(store, drain, clock.now());
  metrics.watchSpill(figures);
  const details = () => ({ ...describeKafka(problem), spill: describeSpill(figures()) });
  return { publisher, details, figures };
}

/** A damaged log must not take this process along. */
async function openCheckedLog(options: EmbeddedLogOptions): Promise<EmbeddedLog> {
  await checkEmbeddedLog(options);
  return await openEmbeddedLog(options);
}

/** Everything that speaks to Kafka. @param waitShare of the answer's deadline, what a record may wait. */
function createKafkaSide(materials: PublisherMaterials, waitShare: number) {
  const { config, kafka, topic, metrics, clock, logger } = materials;
  const { answerDeadlineMs, compression } = config;
  const problem = new KafkaProblem(topic, clock, logger);
  metrics.watchMisconfigured(() => problem.reason !== null);
  const leaders = new TopicLeaders(kafka, topic, problem, clock, logger);
  const now = () => clock.now();
  const picker = new PartitionPicker(leaders, now, Math.floor(Math.random() * 1_000));
  const ackTimeoutMs = kafkaRequestTimeoutMs(answerDeadlineMs);
  const producerOptions = { topic, ackTimeoutMs, retries: SEND_RETRIES, compression };
  const createProducer = (identity?: ProducerIdentity) =>
    new DurableProducer(
      kafka,
      identity === undefined ? producerOptions : { ...producerOptions, identity },
      logger,
    );
  const onTrouble = () => leaders.refreshSoon();
  const waiting = new WaitingRecords();
  const drainRate = new DrainRate();
  const observer: LaneObserver = {
    sent: ({ records, bytes, tookMs }) => {
      metrics.batchRecords.observe(records);
      metrics.batchBytes.observe(bytes);
      metrics.kafkaSendSeconds.observe(tookMs / 1_000);
    },
    failed: (code) => metrics.kafkaSendErrors.inc({ code }),
  };
  const shared: LaneParts = {
    waiting,
    picker,
    createProducer: () => createProducer(),
    onTrouble,
    observer: {
      sent: (batch) => {
        drainRate.left(batch.bytes, now());
        observer.sent(batch);
      },
      failed: observer.failed,
    },
    problem,
    clock,
    logger,
  };
  const limits = {
    maxBatchBytes: config.maxBatchBytes,
    connectTimeoutMs: answerDeadlineMs,
    sendTimeoutMs: answerDeadlineMs * 2,
  };
  const lanes = Array.from({ length: config.lanes }, () => new Lane(shared, limits));
  const direct = new KafkaReportPublisher(
    { lanes, waiting, leaders, drainRate },
    {
      answerDeadlineMs: answerDeadlineMs * waitShare,
      maxWaitingBytes: config.maxWaitingBytes,
    },
    clock,
  );
  metrics.watchWaitingBytes(() => direct.waitingBytes);
  return { direct, leaders, problem, picker, createProducer, limits, onTrouble, observer };
}
