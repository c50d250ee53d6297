import { Kafka, type KafkaMessage, logLevel } from "kafkajs";
import { patiently } from "./patience.js";
import { uniqueName } from "./unique-name.js";

/** One record as a topic holds it. */
export interface TopicRecord {
  readonly partition: number;
  readonly offset: number;
  /** Unix milliseconds. */
  readonly timestampMs: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer>>;
}

/**
 * Every record of every partition, by partition and offset, up to the high watermarks at the time of the call.
 * @throws Error when it has not got there after `timeoutMs`.
 */
export async function readTopic(
  brokers: readonly string[],
  topic: string,
  timeoutMs = patiently(60_000),
): Promise<readonly TopicRecord[]> {
  const kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING });
  const unread = await endsOf(kafka, topic);
  if (unread.size === 0) return [];
  const records: TopicRecord[] = [];
  const groupId = uniqueName("read-topic");
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100 });
  const allRead = deferred();
  await consumer.connect();
  try {
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch }) => {
        const end = unread.get(batch.partition);
        if (end === undefined) return;
        for (const message of batch.messages)
          if (Number(message.offset) < end) records.push(recordOf(batch.partition, message));
        if (Number(batch.lastOffset()) + 1 >= end) unread.delete(batch.partition);
        if (unread.size === 0) allRead.resolve();
      },
    });
    await withinTime(allRead.promise, timeoutMs, topic);
  } finally {
    await consumer.disconnect();
  }
  return records.toSorted((a, b) => a.partition - b.partition || a.offset - b.offset);
}

/** One past the last offset of each partition that holds anything. */
async function endsOf(kafka: Kafka, topic: string): Promise<Map<number, number>> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const offsets = await admin.fetchTopicOffsets(topic);
    const filled = offsets.filter(({ low, high }) => Number(high) > Number(low));
    return new Map(filled.map(({ partition, high }) => [partition, Number(high)]));
  } finally {
    await admin.disconnect();
  }
}

function recordOf(partition: number, message: KafkaMessage): TopicRecord {
  const headers = Object.entries(message.headers ?? {}).map(
    ([name, value]) => [name, Buffer.isBuffer(value) ? value : Buffer.from(String(value))] as const,
  );
  return {
    partition,
    offset: Number(message.offset),
    timestampMs: Number(message.timestamp),
    key: message.key,
    value: message.value,
    headers: Object.fromEntries(headers),
  };
}

async function withinTime(work: Promise<void>, timeoutMs: number, topic: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new Error(`${topic} was not read to its end within ${timeoutMs} ms`);
    timer = setTimeout(() => reject(error), timeoutMs);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
