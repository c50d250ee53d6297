import { afterAll, beforeAll, expect, it } from "@jest/globals";
import {
  createTopic,
  describeWithContainers,
  type KafkaCluster,
  readTopic,
  startKafka,
  waitFor,
} from "@push-reports/test-support";
import { Kafka, logLevel, Partitioners } from "kafkajs";
import { aKafkaPublisher } from "../support/kafka-publisher.js";
import { PublishLoad } from "../support/publish-load.js";
import { topicIds } from "../support/topic-ids.js";

describeWithContainers("the lanes", ["docker"], () => {
  let kafka: KafkaCluster;
  beforeAll(async () => {
    // Kafka must not give up a broker that hangs before the gateway stops waiting for it.
    kafka = await startKafka({
      brokers: 2,
      environment: { KAFKA_BROKER_SESSION_TIMEOUT_MS: "12000" },
    });
  });
  afterAll(() => kafka?.stop());

  /** Runs a load around `fault`, and compares what callers were told with what the topic holds. */
  async function underLoad(fault: (topic: string, load: PublishLoad) => Promise<void>) {
    const { brokers } = kafka;
    const topic = await createTopic({ brokers }, { partitions: 4, replication: 2 });
    const publisher = aKafkaPublisher(brokers, topic);
    await publisher.start();
    const load = new PublishLoad(publisher, 32);
    const more = async () => {
      const goal = load.durable.size + 500;
      await waitFor(() => load.durable.size > goal, { what: "more records", timeoutMs: 30_000 });
    };
    await more();
    await fault(topic, load);
    await more();
    await load.end();
    await publisher.stop();
    const ids = await topicIds(brokers, topic);
    const present = new Set(ids);
    expect([...load.durable].filter((id) => !present.has(id))).toEqual([]);
    // Nothing is sent twice by ourselves, whatever the outcome was.
    expect(ids.length).toBe(present.size);
    expect(load.longestMs).toBeLessThan(5_000);
    return load;
  }

  it("under load lose and double nothing when partitions' leaders move", async () => {
    const load = await underLoad(async (topic) => {
      for (const partition of [0, 1]) {
        await kafka.moveLeader(topic, partition, partition % 2);
        await kafka.moveLeader(topic, partition, (partition + 1) % 2);
      }
    });
    expect(load.durable.size).toBeGreaterThan(1_000);
  });

  it("under load lose and double nothing when a broker hangs past the time for an acknowledgement", async () => {
    await underLoad(async (_topic, load) => {
      await kafka.pause(1);
      await waitFor(() => load.refused.length > 0, { what: "a refusal", timeoutMs: 20_000 });
      await kafka.unpause(1);
    });
  });

  it("under load lose and double nothing when a broker dies and comes back", async () => {
    await underLoad(async () => {
      await kafka.kill(1);
      await kafka.restart(1);
    });
  });

  /*
   * Why a send covers one partition only, shown on kafkajs as it is: when this fails after an upgrade, the lanes may be simpler. The
   * broker that leads both partitions by the time of the second attempt has answered the first one, for one of them.
   */
  it("rest on sends of one partition: one of two resolves although one's records were never written", async () => {
    const topic = await createTopic(kafka, { partitions: 2, replication: 2 });
    const client = new Kafka({ brokers: [...kafka.brokers], logLevel: logLevel.NOTHING });
    const admin = client.admin();
    const producer = client.producer({
      idempotent: true,
      createPartitioner: Partitioners.DefaultPartitioner,
      // The broker that still leads has ample time to answer before the second attempt.
      retry: { initialRetryTime: 3_000, retries: 2 },
    });
    const send = (value: string) =>
      producer.send({ topic, messages: [0, 1].map((partition) => ({ partition, value })) });
    try {
      await Promise.all([admin.connect(), producer.connect()]);
      const leaders = (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0]?.partitions;
      const leaderOf = (partition: number) =>
        leaders?.find(({ partitionId }) => partitionId === partition)?.leader ?? 0;
      expect(leaderOf(0)).not.toBe(leaderOf(1));
      await send("before");
      await kafka.moveLeader(topic, 1, leaderOf(0) - 1);
      const results = await send("after");

      expect(results.map(({ partition }) => partition)).toEqual([0]);
      const records = await readTopic(kafka.brokers, topic);
      expect(records.map(({ partition, value }) => `${partition} ${value}`)).toEqual([
        "0 before",
        "0 after",
        "1 before",
      ]);
    } finally {
      await Promise.all([producer.disconnect(), admin.disconnect()]);
    }
  });
});
