import type { Admin } from "kafkajs";
import type { LogEnds, PartitionPosition } from "./record-source.js";
import { WriteError } from "./report-writer.js";

/** Reads where the group and the log stand; partitions that ask at the same time share one answer. */
export class KafkaPositions {
  readonly #admin: Admin;
  readonly #topic: string;
  readonly #groupId: string;
  #reading: Promise<ReadonlyMap<number, PartitionPosition>> | null = null;

  constructor(admin: Admin, at: { readonly topic: string; readonly groupId: string }) {
    this.#admin = admin;
    this.#topic = at.topic;
    this.#groupId = at.groupId;
  }

  /** @throws WriteError `passes_with_time` while Kafka does not answer. */
  async read(partition: number): Promise<PartitionPosition> {
    this.#reading ??= this.readAll().finally(() => {
      this.#reading = null;
    });
    const position = await this.#reading
      .then((all) => all.get(partition))
      .catch((error: unknown) => {
        throw new WriteError("passes_with_time", 0, "Kafka gave no offsets", error);
      });
    if (position !== undefined) return position;
    await this.#forgetMetadata();
    throw new WriteError("passes_with_time", 0, `Kafka gave no offsets of ${partition}`);
  }

  /** @throws kafkajs' error when Kafka does not answer. */
  async readEnds(): Promise<LogEnds> {
    const topics = [this.#topic];
    // The admin's own metadata may be minutes old: a partition that was added since must not be overlooked.
    const [metadata, logs] = await Promise.all([
      this.#admin.fetchTopicMetadata({ topics }),
      this.#admin.fetchTopicOffsets(this.#topic),
    ]);
    const partitions = Math.max(
      logs.length,
      ...metadata.topics.map((topic) => topic.partitions.length),
    );
    if (partitions > logs.length) await this.#forgetMetadata();
    return {
      partitions,
      highWatermarks: new Map(logs.map(({ partition, high }) => [partition, Number(high)])),
    };
  }

  /** Of every partition of the topic. @throws kafkajs' error when Kafka does not answer. */
  async readAll(): Promise<ReadonlyMap<number, PartitionPosition>> {
    const [groups, logs] = await Promise.all([
      this.#admin.fetchOffsets({ groupId: this.#groupId, topics: [this.#topic] }),
      this.#admin.fetchTopicOffsets(this.#topic),
    ]);
    const committed = new Map(
      groups.flatMap(({ partitions }) => partitions).map((entry) => [entry.partition, entry]),
    );
    return new Map(
      logs.map(({ partition, low, high }) => {
        const { offset = "-1", metadata = null } = committed.get(partition) ?? {};
        return [
          partition,
          {
            committedOffset: Number(offset) < 0 ? null : Number(offset),
            metadata: metadata ?? "",
            lowWatermark: Number(low),
            highWatermark: Number(high),
          },
        ];
      }),
    );
  }

  /** The admin's metadata are minutes old at worst, and only a new connection renews them: it does not know a new partition. */
  async #forgetMetadata(): Promise<void> {
    await this.#admin.disconnect();
    await this.#admin.connect();
  }
}
