import { type Admin, Kafka, logLevel } from "kafkajs";
import type { KafkaEndpoint } from "./shared-services.js";
import { uniqueName } from "./unique-name.js";
import { waitFor } from "./wait-for.js";

/** A topic to make. */
export interface TopicOptions {
  /** @default a unique name */
  readonly topic?: string;
  /** @default 1 */
  readonly partitions?: number;
  /** Replicas of each partition. @default 1 */
  readonly replication?: number;
  /** Topic settings, e.g. `{"retention.ms": "1000"}`. */
  readonly config?: Readonly<Record<string, string>>;
}

/** Makes a topic, waits until every partition has a leader, and gives its name. @throws when it exists already. */
export async function createTopic(
  kafka: KafkaEndpoint,
  options: TopicOptions = {},
): Promise<string> {
  const topic = options.topic ?? uniqueName("topic");
  const config = Object.entries(options.config ?? {});
  const admin = new Kafka({ brokers: [...kafka.brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    const created = await admin.createTopics({
      // kafkajs' own waiting fails when the broker that it asks does not know the new topic yet.
      waitForLeaders: false,
      topics: [
        {
          topic,
          numPartitions: options.partitions ?? 1,
          replicationFactor: options.replication ?? 1,
          configEntries: config.map(([name, value]) => ({ name, value })),
        },
      ],
    });
    if (!created) throw new Error(`The topic ${topic} exists already`);
    await waitFor(() => hasLeaders(admin, topic), {
      what: `leaders of ${topic}`,
      timeoutMs: 30_000,
    });
    return topic;
  } finally {
    await admin.disconnect();
  }
}

async function hasLeaders(admin: Admin, topic: string): Promise<boolean> {
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  return topics.every(({ partitions }) => partitions.every(({ leader }) => leader >= 0));
}
