import { readTopic, type TopicRecord, waitFor } from "@push-reports/test-support";
import type { Admin } from "kafkajs";

/** The records that the topic holds, and those that were removed from it. */
export class LogHistory {
  readonly #brokers: readonly string[];
  readonly #admin: Admin;
  readonly #topic: string;
  readonly #removed = new Map<string, TopicRecord>();
  readonly #removedBelow = new Map<number, number>();

  constructor(brokers: readonly string[], admin: Admin, topic: string) {
    this.#brokers = brokers;
    this.#admin = admin;
    this.#topic = topic;
  }

  /** By partition, the offset below which records were removed. */
  get removedBelow(): ReadonlyMap<number, number> {
    return this.#removedBelow;
  }

  /** Removes the records of a partition below an offset, as retention does, and remembers them. */
  async removeBelow(partition: number, offset: number): Promise<void> {
    for (const record of await readTopic(this.#brokers, this.#topic))
      if (record.partition === partition && record.offset < offset)
        this.#removed.set(`${partition}/${record.offset}`, record);
    this.#removedBelow.set(partition, offset);
    const at = { partition, offset: String(offset) };
    await this.#admin.deleteTopicRecords({ topic: this.#topic, partitions: [at] });
    await waitFor(
      async () => {
        const offsets = await this.#admin.fetchTopicOffsets(this.#topic);
        return Number(offsets.find((found) => found.partition === partition)?.low) >= offset;
      },
      { what: `the low watermark of partition ${partition} to be ${offset}` },
    );
  }

  /**
   * Every record that was ever in the topic, once, by partition and offset. What was removed may be back: a broker writes the low watermark
   * down once a minute (`log.flush.start.offset.checkpoint.interval.ms`), and when all replicas are killed before that it is lost.
   */
  async everything(): Promise<readonly TopicRecord[]> {
    const all = new Map(this.#removed);
    for (const record of await readTopic(this.#brokers, this.#topic))
      all.set(`${record.partition}/${record.offset}`, record);
    return [...all.values()].toSorted((a, b) => a.partition - b.partition || a.offset - b.offset);
  }
}
