import {
  createTopic,
  describeWithContainers,
  readTopic,
  reportPublisherContract,
  sharedKafka,
} from "@push-reports/test-support";
import { aKafkaPublisher } from "../support/kafka-publisher.js";

describeWithContainers("the publisher to Kafka, as every publisher,", ["kafka"], () =>
  reportPublisherContract(async ({ maxWaitingBytes }) => {
    const { brokers } = await sharedKafka();
    // Records of the tests are from the past: retention would remove them at its next look.
    const config = { "retention.ms": "-1" };
    const topic = await createTopic({ brokers }, { partitions: 3, config });
    const limits = maxWaitingBytes === undefined ? {} : { maxWaitingBytes };
    const publisher = aKafkaPublisher(brokers, topic, limits);
    await publisher.start();
    return {
      publisher,
      published: async () => {
        const records = await readTopic(brokers, topic);
        return records.map(({ key, value, headers, timestampMs }) => {
          if (key === null || value === null) throw new Error("A record is not whole");
          return { key, value, headers, timestampMs };
        });
      },
      stop: () => publisher.stop(),
      close: () => publisher.stop(),
    };
  }),
);
