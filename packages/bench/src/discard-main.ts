import process from "node:process";
import { Kafka, logLevel } from "kafkajs";

/** kafkajs consuming and discarding: what any consumer on it has to pay. Fetches as our consumer does by default. */
const environment = process.env;
const wanted = Number(environment["RECORDS"]);
const topic = environment["KAFKA_TOPIC"] ?? "";
const kafka = new Kafka({
  brokers: (environment["KAFKA_BROKERS"] ?? "").split(","),
  logLevel: logLevel.ERROR,
});
const consumer = kafka.consumer({
  groupId: environment["KAFKA_GROUP_ID"] ?? "",
  allowAutoTopicCreation: false,
  maxWaitTimeInMs: 250,
  minBytes: 1,
  maxBytes: 16 * 1024 * 1024,
  maxBytesPerPartition: 1024 * 1024,
});
let seen = 0;
let firstAt = 0;
let seenAtFirst = 0;
await consumer.connect();
await consumer.subscribe({ topic, fromBeginning: true });
await consumer.run({
  eachBatch: async ({ batch }) => {
    seen += batch.messages.length;
    if (firstAt === 0) {
      firstAt = performance.now();
      seenAtFirst = seen;
    }
    if (seen >= wanted) {
      const ms = performance.now() - firstAt;
      process.stdout.write(`${JSON.stringify({ records: seen - seenAtFirst, ms })}\nready\n`);
    }
  },
});
process.once("SIGTERM", () => void consumer.disconnect().finally(() => process.exit(0)));
