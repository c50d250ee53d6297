import type { Admin } from "kafkajs";
import type { LogEnds, PartitionPosition } from "./record-source.js";
import { WriteError } from "./report-writer.js";

/** What kafkajs tells of where a group is in a partition, and of a partition's log. */
type GroupOffset = Awaited<ReturnType<Admin["fetchOffsets"]>>[number]["partitions"][number];
type LogOffsets = Awaited<ReturnType<Admin["fetchTopicOffsets"]>>[number];

/** A connection to the brokers, and what is known against it. */
interface Connection {
  readonly admin: Admin;
  /** Readings that have neither ended nor failed. */
  readings: number;
  /** A reading failed on it, or its metadata are too old. */
  isDoubtful: boolean;
}

/** Reads one partition's position. @throws WriteError `passes_with_time` while Kafka does not answer. */
export type ReadPosition = (partition: number) => Promise<PartitionPosition>;

/** Reads where the group and the log stand. */
export class KafkaPositions {
  readonly #open: () => Admin;
  readonly #topic: string;
  readonly #groupId: string;
  #connection: Connection;
  #isClosed = false;

  /** @param open makes an admin client with connections of its own, not yet connected. */
  constructor(open: () => Admin, at: { readonly topic: string; readonly groupId: string }) {
    this.#open = open;
    this.#topic = at.topic;
    this.#groupId = at.groupId;
    this.#connection = connectionOf(open());
  }

  /** @throws kafkajs' error when no broker can be reached. */
  async connect(): Promise<void> {
    await this.#connection.admin.connect();
  }

  async disconnect(): Promise<void> {
    this.#isClosed = true;
    await this.#connection.admin.disconnect();
  }

  /**
   * What the partitions of an epoch that begins now read their positions by; those that ask at the same time share one answer.
   * A reading of an epoch before is never joined: it may have seen the group's offsets before a former owner announced its last range.
   * Nor is it waited for: where it hangs, a new connection is made.
   */
  forEpoch(): ReadPosition {
    let reading: Promise<ReadonlyMap<number, PartitionPosition>> | null = null;
    const begin = () => {
      const begun = this.#readAnew().finally(() => {
        if (reading === begun) reading = null;
      });
      return begun;
    };
    return async (partition) => {
      reading ??= begin();
      const position = await reading
        .then((all) => all.get(partition))
        .catch((error: unknown) => {
          throw new WriteError("passes_with_time", 0, "Kafka gave no offsets", error);
        });
      if (position !== undefined) return position;
      // The admin's metadata are minutes old at worst, and only a new connection renews them: it does not know a new partition.
      this.#connection.isDoubtful = true;
      throw new WriteError("passes_with_time", 0, `Kafka gave no offsets of ${partition}`);
    };
  }

  /** @throws kafkajs' error when Kafka does not answer. */
  async readEnds(): Promise<LogEnds> {
    const topics = [this.#topic];
    const { admin } = this.#connection;
    // The admin's own metadata may be minutes old: a partition that was added since must not be overlooked.
    const metadata = await admin.fetchTopicMetadata({ topics });
    const logs = await admin.fetchTopicOffsets(this.#topic);
    const partitions = Math.max(
      logs.length,
      ...metadata.topics.map((topic) => topic.partitions.length),
    );
    if (partitions > logs.length) await this.#renew();
    return {
      partitions,
      highWatermarks: new Map(logs.map(({ partition, high }) => [partition, Number(high)])),
    };
  }

  async #readAnew(): Promise<ReadonlyMap<number, PartitionPosition>> {
    const { isDoubtful, readings } = this.#connection;
    if (isDoubtful || readings > 0) await this.#renew();
    const connection = this.#connection;
    connection.readings += 1;
    try {
      return await readPositions(connection.admin, { topic: this.#topic, groupId: this.#groupId });
    } catch (error) {
      connection.isDoubtful = true;
      throw error;
    } finally {
      connection.readings -= 1;
    }
  }

  /** Goes on over a new connection. The old one is closed behind it, which takes as long as what hangs on it. */
  async #renew(): Promise<void> {
    const admin = this.#open();
    await admin.connect();
    if (this.#isClosed) return await admin.disconnect();
    const old = this.#connection;
    this.#connection = connectionOf(admin);
    old.admin.disconnect().catch(() => undefined);
  }
}

function connectionOf(admin: Admin): Connection {
  return { admin, readings: 0, isDoubtful: false };
}

/** Of every partition that the admin knows. @throws kafkajs' error when Kafka does not answer. */
export async function readPositions(
  admin: Admin,
  { topic, groupId }: { readonly topic: string; readonly groupId: string },
): Promise<ReadonlyMap<number, PartitionPosition>> {
  // One after the other: of a new client kafkajs joins the second to a load of metadata without the topic, and fails.
  const groups = await admin.fetchOffsets({ groupId, topics: [topic] });
  const logs = await admin.fetchTopicOffsets(topic);
  return positionsOf(
    groups.flatMap(({ partitions }) => partitions),
    logs,
  );
}

/** The first offset of each partition whose record's timestamp is of a time or later; the log's end where there is none. @throws kafkajs' error */
export async function readOffsetsSince(
  admin: Admin,
  topic: string,
  time: Date,
): Promise<ReadonlyMap<number, number>> {
  const offsets = await admin.fetchTopicOffsetsByTimestamp(topic, time.getTime());
  return new Map(offsets.map(({ partition, offset }) => [partition, Number(offset)]));
}

/**
 * What the group has committed and where the log begins and ends, by partition. Kafka names every partition that it was asked for, with offset
 * -1 where nothing is committed: a partition that is missing among `committed` was not asked for, since the admin learnt of it in
 * between, and nothing is known of it.
 */
export function positionsOf(
  committed: readonly GroupOffset[],
  logs: readonly LogOffsets[],
): ReadonlyMap<number, PartitionPosition> {
  const commits = new Map(committed.map((entry) => [entry.partition, entry]));
  return new Map(
    logs.flatMap(({ partition, low, high }): [number, PartitionPosition][] => {
      const commit = commits.get(partition);
      if (commit === undefined) return [];
      const position = {
        committedOffset: Number(commit.offset) < 0 ? null : Number(commit.offset),
        metadata: commit.metadata ?? "",
        lowWatermark: Number(low),
        highWatermark: Number(high),
      };
      return [[partition, position]];
    }),
  );
}
