import { afterAll, beforeAll, expect, it } from "@jest/globals";
import {
  createTopic,
  describeWithContainers,
  type KafkaCluster,
  readTopic,
  startKafka,
} from "@push-reports/test-support";
import { Kafka, logLevel, Partitioners } from "kafkajs";

describeWithContainers("A Kafka cluster of a test's own", ["docker"], () => {
  let kafka: KafkaCluster;

  beforeAll(async () => {
    kafka = await startKafka({ brokers: 2 });
  });
  afterAll(() => kafka?.stop());

  it("keeps records over a leader's move, a broker's death and its return", async () => {
    const topic = await createTopic(kafka, { partitions: 2, replication: 2 });
    await produce(topic, 0, ["a", "b"]);
    await kafka.moveLeader(topic, 0, 1);
    await produce(topic, 0, ["c"]);
    await kafka.kill(1);
    await kafka.restart(1);
    await kafka.pause(1);
    await kafka.unpause(1);
    await produce(topic, 1, ["d"]);

    const records = await readTopic(kafka.brokers, topic);

    expect(records.map((r) => [r.partition, r.offset, r.value?.toString()])).toEqual([
      [0, 0, "a"],
      [0, 1, "b"],
      [0, 2, "c"],
      [1, 0, "d"],
    ]);
  });

  async function produce(topic: string, partition: number, values: readonly string[]) {
    const producer = new Kafka({
      brokers: [...kafka.brokers],
      logLevel: logLevel.NOTHING,
    }).producer({ createPartitioner: Partitioners.DefaultPartitioner });
    await producer.connect();
    await producer.send({ topic, messages: values.map((value) => ({ value, partition })) });
    await producer.disconnect();
  }
});
