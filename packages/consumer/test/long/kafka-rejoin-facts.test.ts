import { afterAll, beforeAll, expect, it } from "@jest/globals";
import {
  createTopic,
  describeWithContainers,
  type KafkaCluster,
  startKafka,
  uniqueName,
  waitFor,
} from "@push-reports/test-support";
import {
  type Admin,
  type Consumer,
  type EachBatchPayload,
  Kafka,
  logLevel,
  Partitioners,
} from "kafkajs";

/* With one broker a fetch waits for all handlers of the last one; only another broker's fetch meets one that runs. */
describeWithContainers("kafkajs, between two brokers of Kafka,", ["kafka"], () => {
  let cluster: KafkaCluster;
  let admin: Admin | null = null;
  let consumer: Consumer | null = null;

  beforeAll(async () => {
    cluster = await startKafka({ brokers: 2 });
  });
  afterAll(async () => {
    await Promise.all([consumer?.disconnect(), admin?.disconnect()]);
    await cluster?.stop();
  });

  it("rejoins inside a fetch while a handler runs, whose commit is then accepted with the new generation", async () => {
    const kafka = new Kafka({ brokers: [...cluster.brokers], logLevel: logLevel.NOTHING });
    const topic = await createTopic(cluster, { partitions: 2 });
    const groupId = uniqueName("group");
    const connected = kafka.admin();
    admin = connected;
    await connected.connect();
    const { topics } = await connected.fetchTopicMetadata({ topics: [topic] });
    // Else the test would show nothing.
    expect(new Set(topics[0]?.partitions.map(({ leader }) => leader)).size).toBe(2);

    const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
    await producer.connect();
    await producer.send({ topic, messages: [{ partition: 0, value: "v" }] });
    await producer.disconnect();

    const commit = ({ commitOffsetsIfNecessary }: EachBatchPayload, metadata: string) =>
      commitOffsetsIfNecessary({
        topics: [{ topic, partitions: [{ partition: 0, offset: "0", metadata } as never] }],
      });
    let joins = 0;
    const generations: number[] = [];
    const joined = kafka.consumer({
      groupId,
      maxWaitTimeInMs: 100,
      heartbeatInterval: 300,
      metadataMaxAge: 300,
    });
    consumer = joined;
    joined.on(joined.events.GROUP_JOIN, () => {
      joins += 1;
    });
    joined.on(joined.events.COMMIT_OFFSETS, ({ payload }) => {
      generations.push(payload.groupGenerationId);
    });
    await joined.connect();
    await joined.subscribe({ topic, fromBeginning: true });
    const handled = new Promise<void>((resolve, reject) => {
      let isFirst = true;
      const handleOnce = async (payload: EachBatchPayload) => {
        if (!isFirst) return;
        isFirst = false;
        await commit(payload, "before");
        await connected.createPartitions({ topicPartitions: [{ topic, count: 3 }] });
        await waitFor(() => joins > 1, { what: "a join while this handler runs" });
        await commit(payload, "old handler");
      };
      void joined.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: 4,
        eachBatch: (payload) => handleOnce(payload).then(resolve, reject),
      });
    });
    await handled;
    const [before, after] = generations;
    expect(generations).toHaveLength(2);
    expect(after).toBeGreaterThan(before as number);
    const [group] = await connected.fetchOffsets({ groupId, topics: [topic] });
    expect(group?.partitions.find(({ partition }) => partition === 0)).toMatchObject({
      offset: "0",
      metadata: "old handler",
    });
  });
});
