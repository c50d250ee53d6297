import {
  Backoff,
  boundInflation,
  type Clock,
  type Logger,
  misconfigurationOf,
  overrideCommit,
  overrideFailedJoin,
  overrideOffsetReset,
  RepeatedLines,
} from "@push-reports/service-kit";
import type { Consumer, EachBatchPayload, Kafka } from "kafkajs";
import { KafkaEpoch } from "./kafka-epoch.js";
import { KafkaPositions } from "./kafka-positions.js";
import type { AssignedPartition, LogEnds, RecordSource } from "./record-source.js";

/** How the group is joined and how much is fetched ahead. */
export interface KafkaRecordSourceOptions {
  readonly topic: string;
  readonly groupId: string;
  readonly sessionTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  readonly rebalanceTimeoutMs: number;
  /** Longest wait of one fetch for records, ms. */
  readonly maxFetchWaitMs: number;
  /** Bytes of one fetch, and of one partition in it. */
  readonly maxFetchBytes: number;
  readonly maxPartitionFetchBytes: number;
  /** Bytes that one compressed batch may inflate to; those of a fetch together as much as it may have bytes. */
  readonly maxBatchBytes: number;
  /** Footprint of all records from their fetch to their commit, bytes; the partitions share it. */
  readonly maxBufferedBytes: number;
  /** How much of that partitions lend to each other, %. */
  readonly lentPercent: number;
  /** Footprint of one range, bytes. */
  readonly maxRangeBytes: number;
}

/** How soon a partition that was added to the topic is noticed, ms; kafkajs' own five minutes are long for a topic that grows. */
const METADATA_MAX_AGE_MS = 60_000;
/** Handlers only hand records over, so they may run as many at a time as there are partitions. */
const HANDLERS = 256;

/**
 * The topic's partitions through a kafkajs consumer group. kafkajs' loop only fills the queues; a partition whose queue is full is
 * paused. Every join, and whatever else ends an assignment, ends the epoch of all partitions first.
 */
export class KafkaRecordSource implements RecordSource {
  readonly #consumer: Consumer;
  readonly #options: KafkaRecordSourceOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #positions: KafkaPositions;
  readonly #lines: RepeatedLines;
  readonly #stopping = new AbortController();
  #epoch: KafkaEpoch | null = null;
  #lastActivityAt: number;
  #connecting: Promise<void> = Promise.resolve();
  #problem: string | null = null;

  constructor(kafka: Kafka, options: KafkaRecordSourceOptions, clock: Clock, logger: Logger) {
    overrideOffsetReset();
    overrideFailedJoin();
    overrideCommit();
    boundInflation({ fetchBytes: options.maxFetchBytes, batchBytes: options.maxBatchBytes });
    this.#options = options;
    this.#clock = clock;
    this.#logger = logger;
    this.#lastActivityAt = clock.now();
    this.#lines = new RepeatedLines(clock);
    this.#positions = new KafkaPositions(() => kafka.admin(), options);
    this.#consumer = kafka.consumer({
      groupId: options.groupId,
      allowAutoTopicCreation: false,
      metadataMaxAge: METADATA_MAX_AGE_MS,
      sessionTimeout: options.sessionTimeoutMs,
      heartbeatInterval: options.heartbeatIntervalMs,
      rebalanceTimeout: options.rebalanceTimeoutMs,
      maxWaitTimeInMs: options.maxFetchWaitMs,
      minBytes: 1,
      maxBytes: options.maxFetchBytes,
      maxBytesPerPartition: options.maxPartitionFetchBytes,
    });
  }

  problem(): string | null {
    return this.#problem;
  }

  lastActivityAt(): number {
    return this.#lastActivityAt;
  }

  /** Resolves at once: while Kafka is away it goes on trying to join. */
  async start(
    onAssigned: (partition: AssignedPartition) => void,
    onFailed: (error: Error) => void,
    onJoined: (partitions: number) => void,
  ): Promise<void> {
    this.#listen(onAssigned, onFailed, onJoined);
    this.#connecting = this.#connectUntilStopped().catch((error: unknown) =>
      onFailed(error instanceof Error ? error : new Error(String(error))),
    );
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#endEpoch();
    await this.#connecting;
    await this.#consumer.disconnect();
    await this.#positions.disconnect();
  }

  bufferedBytes(): number {
    return this.#epoch?.heldBytes ?? 0;
  }

  async ends(): Promise<LogEnds> {
    return await this.#positions.readEnds();
  }

  #listen(
    onAssigned: (partition: AssignedPartition) => void,
    onFailed: (error: Error) => void,
    onJoined: (partitions: number) => void,
  ): void {
    const { events } = this.#consumer;
    let isJoined = false;
    const active = () => {
      this.#lastActivityAt = this.#clock.now();
    };
    // A loop that goes round without having joined gives nobody anything to do, whatever it fetches.
    const activeIfJoined = () => {
      if (isJoined) active();
    };
    this.#consumer.on(events.FETCH, activeIfJoined);
    this.#consumer.on(events.HEARTBEAT, activeIfJoined);
    this.#consumer.on(events.REBALANCING, () => {
      isJoined = false;
      this.#endEpoch();
    });
    this.#consumer.on(events.STOP, () => this.#endEpoch());
    this.#consumer.on(events.DISCONNECT, () => this.#endEpoch());
    // Emitted synchronously inside the join, before the first fetch of the new generation.
    this.#consumer.on(events.GROUP_JOIN, ({ payload }) => {
      isJoined = true;
      active();
      this.#problem = null;
      const partitions = payload.memberAssignment[this.#options.topic] ?? [];
      this.#endEpoch();
      onJoined(partitions.length);
      this.#beginEpoch(partitions, onAssigned);
    });
    this.#consumer.on(events.CRASH, ({ payload }) => {
      isJoined = false;
      active();
      this.#endEpoch();
      if (!this.#noteProblem(payload.error))
        this.#logger.warn("group_crash", { error: payload.error, restart: payload.restart });
      if (!payload.restart) onFailed(payload.error);
    });
  }

  async #connectUntilStopped(): Promise<void> {
    const backoff = new Backoff({ initialMs: 500, maxMs: 10_000 });
    while (!this.#stopping.signal.aborted) {
      try {
        await this.#positions.connect();
        await this.#consumer.connect();
        // Without fromBeginning kafkajs skips whatever was written before the group's first join.
        await this.#consumer.subscribe({ topic: this.#options.topic, fromBeginning: true });
        await this.#consumer.run({
          autoCommit: false,
          eachBatchAutoResolve: false,
          partitionsConsumedConcurrently: HANDLERS,
          eachBatch: async (payload) => this.#handOver(payload),
        });
        return;
      } catch (error) {
        const delayMs = backoff.next();
        this.#lastActivityAt = this.#clock.now();
        if (!this.#noteProblem(error)) this.#logger.warn("kafka_unavailable", { delayMs, error });
        await this.#clock.sleep(delayMs, this.#stopping.signal);
      }
    }
  }

  /** Whether the error is one that somebody has to mend. */
  #noteProblem(error: unknown): boolean {
    this.#problem = misconfigurationOf(error);
    if (this.#problem === null) return false;
    const repeated = this.#lines.next("kafka_misconfigured");
    if (repeated === null) return true;
    const { topic, groupId } = this.#options;
    const fields = { reason: this.#problem, topic, groupId, error };
    this.#logger.error("kafka_misconfigured", { ...fields, ...repeated });
    return true;
  }

  #beginEpoch(
    partitions: readonly number[],
    onAssigned: (partition: AssignedPartition) => void,
  ): void {
    if (this.#stopping.signal.aborted) return;
    const { topic, maxBufferedBytes, lentPercent, maxRangeBytes } = this.#options;
    this.#epoch = new KafkaEpoch(partitions, {
      consumer: this.#consumer,
      topic,
      memory: { maxBytes: maxBufferedBytes, rangeBytes: maxRangeBytes, lentPercent },
      readPosition: this.#positions.forEpoch(),
      clock: this.#clock,
      logger: this.#logger,
    });
    this.#logger.info("partitions_assigned", { partitions });
    for (const assigned of this.#epoch.partitions) onAssigned(assigned);
  }

  #endEpoch(): void {
    this.#epoch?.end();
    this.#epoch = null;
  }

  #handOver({ batch, resolveOffset }: EachBatchPayload): void {
    if (this.#epoch?.accept(batch)) resolveOffset(batch.lastOffset());
  }
}
