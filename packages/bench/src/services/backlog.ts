import { encodeReport } from "@push-reports/report";
import { createTopic, type KafkaEndpoint, uniqueName } from "@push-reports/test-support";
import { Kafka, logLevel, type Message, Partitioners } from "kafkajs";
import { type Population, sdkReport } from "../load/sdk-reports.js";

/** Records of a batch, some 450 KB: as a busy gateway writes them. */
const BATCH_RECORDS = 1_000;

/** A topic full of records. */
export interface Backlog {
  readonly topic: string;
  readonly records: number;
}

/** Makes a topic and writes as many records as are asked for, spread evenly over its partitions, as the gateway writes them. */
export async function produceBacklog(
  kafka: KafkaEndpoint,
  options: {
    readonly records: number;
    readonly partitions: number;
    readonly population: Population;
  },
): Promise<Backlog> {
  const { records, partitions, population } = options;
  const topic = await createTopic(kafka, { topic: uniqueName("backlog"), partitions });
  const producer = new Kafka({ brokers: [...kafka.brokers], logLevel: logLevel.NOTHING }).producer({
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  try {
    let batches = 0;
    for (let first = 0; first < records; first += BATCH_RECORDS, batches += 1) {
      const count = Math.min(BATCH_RECORDS, records - first);
      const messages = Array.from({ length: count }, (_, index) => ({
        ...messageOf(first + index, population),
        partition: batches % partitions,
      }));
      await producer.send({ topic, acks: -1, messages });
    }
  } finally {
    await producer.disconnect();
  }
  return { topic, records };
}

/** One record, as the gateway writes it; received now. */
export function messageOf(index: number, population: Population): Message {
  const receivedAt = new Date();
  const { report } = sdkReport(index, population, Math.floor(receivedAt.getTime() / 1_000));
  const time = receivedAt.getTime().toString(16).padStart(12, "0");
  const reportId = `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${index.toString(16).padStart(12, "0")}`;
  const { key, value, headers, timestampMs } = encodeReport({ ...report, reportId, receivedAt });
  return { key, value, headers: { ...headers }, timestamp: String(timestampMs) };
}
