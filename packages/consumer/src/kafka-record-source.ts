import { Backoff, type Clock, type Logger, overrideOffsetReset } from "@push-reports/service-kit";
import type { Admin, Consumer, EachBatchPayload, Kafka } from "kafkajs";
import { KafkaAssignedPartition } from "./kafka-assigned-partition.js";
import { KafkaPositions } from "./kafka-positions.js";
import { sourceRecordOf } from "./kafka-source-record.js";
import type { AssignedPartition, RecordSource } from "./record-source.js";

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
  /** Footprint of all records that wait to be ingested, bytes; the partitions share it. */
  readonly maxBufferedBytes: number;
}

/** Handlers only hand records over, so they may run as many at a time as there are partitions. */
const HANDLERS = 256;

/**
 * The topic's partitions through a kafkajs consumer group. kafkajs' loop only fills the queues; a partition whose queue is full is
 * paused. Every join, and whatever else ends an assignment, ends the epoch of all partitions first.
 */
export class KafkaRecordSource implements RecordSource {
  readonly #consumer: Consumer;
  readonly #admin: Admin;
  readonly #options: KafkaRecordSourceOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #positions: KafkaPositions;
  readonly #stopping = new AbortController();
  #epoch = new Map<number, KafkaAssignedPartition>();
  #commitOffsets: EachBatchPayload["commitOffsetsIfNecessary"] | null = null;
  #lastActivityAt: number;
  #connecting: Promise<void> = Promise.resolve();

  constructor(kafka: Kafka, options: KafkaRecordSourceOptions, clock: Clock, logger: Logger) {
    overrideOffsetReset();
    this.#options = options;
    this.#clock = clock;
    this.#logger = logger;
    this.#lastActivityAt = clock.now();
    this.#admin = kafka.admin();
    this.#positions = new KafkaPositions(this.#admin, options);
    this.#consumer = kafka.consumer({
      groupId: options.groupId,
      allowAutoTopicCreation: false,
      sessionTimeout: options.sessionTimeoutMs,
      heartbeatInterval: options.heartbeatIntervalMs,
      rebalanceTimeout: options.rebalanceTimeoutMs,
      maxWaitTimeInMs: options.maxFetchWaitMs,
      minBytes: 1,
      maxBytes: options.maxFetchBytes,
      maxBytesPerPartition: options.maxPartitionFetchBytes,
    });
  }

  lastActivityAt(): number {
    return this.#lastActivityAt;
  }

  /** Resolves at once: while Kafka is away it goes on trying to join. */
  async start(
    onAssigned: (partition: AssignedPartition) => void,
    onFailed: (error: Error) => void,
  ): Promise<void> {
    this.#listen(onAssigned, onFailed);
    this.#connecting = this.#connectUntilStopped().catch((error: unknown) =>
      onFailed(error instanceof Error ? error : new Error(String(error))),
    );
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#endEpoch();
    await this.#connecting;
    await this.#consumer.disconnect();
    await this.#admin.disconnect();
  }

  #listen(
    onAssigned: (partition: AssignedPartition) => void,
    onFailed: (error: Error) => void,
  ): void {
    const { events } = this.#consumer;
    const active = () => {
      this.#lastActivityAt = this.#clock.now();
    };
    this.#consumer.on(events.FETCH, active);
    this.#consumer.on(events.HEARTBEAT, active);
    this.#consumer.on(events.REBALANCING, () => this.#endEpoch());
    this.#consumer.on(events.STOP, () => this.#endEpoch());
    this.#consumer.on(events.DISCONNECT, () => this.#endEpoch());
    // Emitted synchronously inside the join, before the first fetch of the new generation.
    this.#consumer.on(events.GROUP_JOIN, ({ payload }) => {
      active();
      this.#beginEpoch(payload.memberAssignment[this.#options.topic] ?? [], onAssigned);
    });
    this.#consumer.on(events.CRASH, ({ payload }) => {
      active();
      this.#endEpoch();
      this.#logger.warn("group_crash", { error: payload.error, restart: payload.restart });
      if (!payload.restart) onFailed(payload.error);
    });
  }

  async #connectUntilStopped(): Promise<void> {
    const backoff = new Backoff({ initialMs: 500, maxMs: 10_000 });
    while (!this.#stopping.signal.aborted) {
      try {
        await this.#admin.connect();
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
        this.#logger.warn("kafka_unavailable", { delayMs, error });
        await this.#clock.sleep(delayMs, this.#stopping.signal);
      }
    }
  }

  #beginEpoch(
    partitions: readonly number[],
    onAssigned: (partition: AssignedPartition) => void,
  ): void {
    this.#endEpoch();
    if (this.#stopping.signal.aborted) return;
    const { topic, maxBufferedBytes } = this.#options;
    // Nothing is fetched before recovery has said where to begin.
    this.#consumer.pause([{ topic, partitions: [...partitions] }]);
    const capacityBytes = Math.floor(maxBufferedBytes / Math.max(1, partitions.length));
    this.#epoch = new Map(
      partitions.map((partition) => [
        partition,
        new KafkaAssignedPartition({
          partition,
          capacityBytes,
          clock: this.#clock,
          logger: this.#logger,
          readPosition: () => this.#positions.read(partition),
          seek: (offset) => this.#consumer.seek({ topic, partition, offset: String(offset) }),
          pause: () => this.#consumer.pause([{ topic, partitions: [partition] }]),
          resume: () => this.#consumer.resume([{ topic, partitions: [partition] }]),
          commit: (offset, metadata) => this.#commit(partition, offset, metadata),
        }),
      ]),
    );
    this.#logger.info("partitions_assigned", { partitions });
    for (const assigned of this.#epoch.values()) onAssigned(assigned);
  }

  #endEpoch(): void {
    for (const assigned of this.#epoch.values()) assigned.end();
    this.#epoch.clear();
    this.#commitOffsets = null;
  }

  #handOver({ batch, resolveOffset, commitOffsetsIfNecessary }: EachBatchPayload): void {
    const assigned = this.#epoch.get(batch.partition);
    if (assigned === undefined) return;
    this.#commitOffsets = commitOffsetsIfNecessary;
    const { fetchedOffset } = batch as typeof batch & { readonly fetchedOffset: string };
    const lastOffset = batch.lastOffset();
    const accepted = assigned.accept({
      fetchedOffset: Number(fetchedOffset),
      records: batch.messages.map(sourceRecordOf),
      nextOffset: Number(lastOffset) + 1,
    });
    if (accepted) resolveOffset(lastOffset);
  }

  /**
   * The payload's commit throws when it fails, unlike the consumer's own, which resolves without committing once a stop has begun.
   * It uses the generation held at the moment of the call, so the caller checks its epoch in the same turn of the event loop.
   */
  async #commit(partition: number, offset: number, metadata: string): Promise<void> {
    if (this.#commitOffsets === null) throw new Error("No batch of this epoch has arrived yet");
    const partitions = [{ partition, offset: String(offset), metadata }];
    await this.#commitOffsets({ topics: [{ topic: this.#options.topic, partitions }] });
  }
}
