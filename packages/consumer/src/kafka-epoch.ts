import type { Clock, Logger } from "@push-reports/service-kit";
import type { Batch, Consumer } from "kafkajs";
import { KafkaAssignedPartition } from "./kafka-assigned-partition.js";
import { sourceRecordOf } from "./kafka-source-record.js";
import type { AssignedPartition, PartitionPosition } from "./record-source.js";
import { SharedBuffer, type SharedBufferOptions } from "./shared-buffer.js";

/** What an epoch needs of the consumer that it belongs to. */
export interface KafkaEpochParts {
  readonly consumer: Pick<Consumer, "seek" | "pause" | "resume" | "commitOffsets">;
  readonly topic: string;
  readonly memory: Omit<SharedBufferOptions, "partitions">;
  readonly readPosition: (partition: number) => Promise<PartitionPosition>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What a consumer has from one join to whatever ends it: its partitions, and the memory that they share. */
export class KafkaEpoch {
  readonly #parts: KafkaEpochParts;
  readonly #buffer: SharedBuffer;
  readonly #partitions: ReadonlyMap<number, KafkaAssignedPartition>;

  /** Nothing is fetched of the partitions until each has been told where to begin. */
  constructor(partitions: readonly number[], parts: KafkaEpochParts) {
    const { consumer, topic, memory, clock } = parts;
    this.#parts = parts;
    consumer.pause([{ topic, partitions: [...partitions] }]);
    this.#buffer = new SharedBuffer({ ...memory, partitions: partitions.length }, clock);
    this.#partitions = new Map(partitions.map((partition) => [partition, this.#assign(partition)]));
  }

  get partitions(): Iterable<AssignedPartition> {
    return this.#partitions.values();
  }

  /** Memory of the records from their fetch to their commit, bytes. */
  get heldBytes(): number {
    return this.#buffer.heldBytes;
  }

  /** Hands a fetched batch to its partition. @returns whether it took all of it. */
  accept(batch: Batch): boolean {
    const assigned = this.#partitions.get(batch.partition);
    if (assigned === undefined) return false;
    // kafkajs' types leave it out.
    const { fetchedOffset } = batch as Batch & { readonly fetchedOffset: string };
    return assigned.accept({
      fetchedOffset: Number(fetchedOffset),
      records: batch.messages.map(sourceRecordOf),
      nextOffset: Number(batch.lastOffset()) + 1,
      logEnd: Number(batch.highWatermark),
    });
  }

  /** Every call of its partitions rejects from now on. */
  end(): void {
    for (const assigned of this.#partitions.values()) assigned.end();
  }

  #assign(partition: number): KafkaAssignedPartition {
    const { consumer, topic, readPosition, clock, logger } = this.#parts;
    return new KafkaAssignedPartition({
      partition,
      buffer: this.#buffer,
      clock,
      logger,
      readPosition: () => readPosition(partition),
      seek: (offset) => consumer.seek({ topic, partition, offset: String(offset) }),
      pause: () => consumer.pause([{ topic, partitions: [partition] }]),
      resume: () => consumer.resume([{ topic, partitions: [partition] }]),
      // One attempt that throws when it fails (see `overrideCommit`). It uses the generation held at the moment of the call, so the
      // partition checks its epoch in the same turn of the event loop.
      commit: (offset, metadata) =>
        consumer.commitOffsets([{ topic, partition, offset: String(offset), metadata }]),
    });
  }
}
