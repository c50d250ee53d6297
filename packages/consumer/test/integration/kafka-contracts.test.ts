import { afterAll, beforeAll } from "@jest/globals";
import { createLogger, DurableProducer, systemClock } from "@push-reports/service-kit";
import {
  createTopic,
  deadLettersContract,
  describeWithContainers,
  type KeptDeadLetter,
  readTopic,
  recordSourceContract,
  sharedKafka,
  uniqueName,
  waitFor,
} from "@push-reports/test-support";
import { Kafka, logLevel, Partitioners } from "kafkajs";
import { KafkaDeadLetters } from "../../src/kafka-dead-letters.js";
import { KafkaRecordSource } from "../../src/kafka-record-source.js";

const logger = createLogger({ service: "test", level: "silent" });
/** So many of the largest are well below what a broker takes at once. */
const RECORDS_OF_A_SEND = 500;
const kafkaAt = (brokers: readonly string[]) =>
  new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING });

const recordSourceThatLends = (lentPercent: number) =>
  recordSourceContract(async () => {
    const { brokers } = await sharedKafka();
    const kafka = kafkaAt(brokers);
    // Records of the tests are from the past: retention would remove them at its next look.
    const topic = await createTopic({ brokers }, { config: { "retention.ms": "-1" } });
    const groupId = uniqueName("group");
    const admin = kafka.admin();
    const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
    await Promise.all([admin.connect(), producer.connect()]);
    return {
      isShared: true,
      createSource: () =>
        new KafkaRecordSource(
          kafkaAt(brokers),
          {
            topic,
            groupId,
            sessionTimeoutMs: 3_000,
            heartbeatIntervalMs: 200,
            rebalanceTimeoutMs: 3_000,
            maxFetchWaitMs: 100,
            maxFetchBytes: 1_000_000,
            maxPartitionFetchBytes: 100_000,
            maxBatchBytes: 10_000_000,
            // Less than the longest stretch that a test takes.
            maxBufferedBytes: 200_000,
            lentPercent,
            maxRangeBytes: 200_000,
          },
          systemClock,
          logger,
        ),
      append: async (records) => {
        const messages = records.map(({ key, value, headers, timestampMs }) => ({
          partition: 0,
          key,
          value,
          headers: { ...headers },
          timestamp: String(timestampMs),
        }));
        for (let at = 0; at < messages.length; at += RECORDS_OF_A_SEND)
          await producer.send({
            topic,
            acks: -1,
            messages: messages.slice(at, at + RECORDS_OF_A_SEND),
          });
      },
      trimTo: async (offset) => {
        // kafkajs finds the partition's leader only once it has asked for its offsets.
        await admin.fetchTopicOffsets(topic);
        const partitions = [{ partition: 0, offset: String(offset) }];
        await admin.deleteTopicRecords({ topic, partitions });
      },
      leaveGap: async () => {
        const transactional = kafka.producer({
          transactionalId: uniqueName("transaction"),
          idempotent: true,
          maxInFlightRequests: 1,
          createPartitioner: Partitioners.DefaultPartitioner,
        });
        await transactional.connect();
        const before = Number((await admin.fetchTopicOffsets(topic))[0]?.high);
        const transaction = await transactional.transaction();
        const messages = [{ partition: 0, value: "in a transaction" }];
        await transaction.send({ topic, messages });
        await transaction.commit();
        // The marker that ends it, the gap, is written a moment later.
        const end = async () => Number((await admin.fetchTopicOffsets(topic))[0]?.high);
        await waitFor(async () => (await end()) === before + 2, {
          what: "the end of the transaction",
        });
        await transactional.disconnect();
      },
      close: async () => {
        await Promise.all([admin.disconnect(), producer.disconnect()]);
      },
    };
  });

describeWithContainers("the Kafka record source", ["kafka"], () => recordSourceThatLends(0));
describeWithContainers("the Kafka record source that lends memory", ["kafka"], () =>
  recordSourceThatLends(75),
);

describeWithContainers("dead letters on Kafka", ["kafka"], () => {
  const source = "kafka.contract.1";
  let brokers: readonly string[];
  let topic: string;
  let deadLetters: KafkaDeadLetters;
  beforeAll(async () => {
    ({ brokers } = await sharedKafka());
    topic = await createTopic({ brokers }, { config: { "retention.ms": "-1" } });
    const options = { topic, ackTimeoutMs: 5_000, retries: 3 };
    const createProducer = () => new DurableProducer(kafkaAt(brokers), options, logger);
    deadLetters = new KafkaDeadLetters({
      createProducer,
      sendTimeoutMs: 30_000,
      clock: systemClock,
      logger,
    });
  });
  afterAll(async () => deadLetters?.close());

  deadLettersContract(() => ({
    source,
    deadLetters,
    keptDeadLetters: async (partition) => {
      const kept = new Map<number, KeptDeadLetter>();
      for (const { key, value, headers } of await readTopic(brokers, topic)) {
        const why = (name: string) => headers[`dead-letter-${name}`]?.toString() ?? "";
        if (why("source") !== source || Number(why("partition")) !== partition) continue;
        const original = Object.entries(headers).filter(
          (header): header is [string, Buffer] =>
            header[1] !== undefined && !header[0].startsWith("dead-letter-"),
        );
        const offset = Number(why("offset"));
        const reason = why("reason");
        kept.set(offset, { offset, reason, key, value, headers: Object.fromEntries(original) });
      }
      return [...kept.values()].sort((a, b) => a.offset - b.offset);
    },
  }));
});
