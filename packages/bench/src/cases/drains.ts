import { createTopic, freePort, uniqueName } from "@push-reports/test-support";
import { cpuMsOf, residentBytesOf } from "../measure/process-usage.js";
import type { Backlog } from "../services/backlog.js";
import { Database } from "../services/database.js";
import { startKafkaEngine, stopKafkaEngine } from "../services/kafka-engine.js";
import type { Lab } from "../services/lab.js";
import { type Drain, watchDrain } from "../services/watch-drain.js";

/** What the consumer needs besides its topic. */
export async function consumerEnvironment(
  lab: Lab,
  database: Database,
  topic: string,
): Promise<{
  readonly operationsPort: number;
  readonly environment: Readonly<Record<string, string>>;
}> {
  const kafka = await lab.kafka();
  const operationsPort = await freePort();
  const name = uniqueName("group");
  const deadLetters = await createTopic(kafka, { topic: `${name}-dead-letters` });
  return {
    operationsPort,
    environment: {
      ...database.environment,
      KAFKA_BROKERS: kafka.brokers.join(","),
      KAFKA_TOPIC: topic,
      KAFKA_DEAD_LETTER_TOPIC: deadLetters,
      KAFKA_GROUP_ID: name,
      KAFKA_SOURCE: `kafka.${name}.1`,
      OPERATIONS_PORT: String(operationsPort),
      LOG_LEVEL: "warn",
    },
  };
}

/** Our consumer, with all its defaults, in a process of its own. */
export async function drainWithConsumer(
  lab: Lab,
  { topic, records }: Backlog,
  nodeOptions: readonly string[] = [],
): Promise<Drain> {
  const database = await Database.create(lab);
  const { environment } = await consumerEnvironment(lab, database, topic);
  const clickHouse = await (await lab.clickHouse()).pid();
  const consumer = lab.run("consumer", environment, nodeOptions);
  const drain = await watchDrain({
    records,
    rows: () => database.rows(),
    programs: { consumer: consumer.pid },
    servers: { clickHouse },
  }).catch((cause: unknown) => {
    throw new Error(`The consumer wrote:\n${consumer.output}`, { cause });
  });
  await consumer.stop();
  await database.drop();
  return drain;
}

/** ClickHouse's own Kafka engine into the same tables with the same views. */
export async function drainWithKafkaEngine(lab: Lab, { topic, records }: Backlog): Promise<Drain> {
  const [broker] = (await lab.kafka()).brokersInNetwork;
  const database = await Database.create(lab);
  const clickHouse = await (await lab.clickHouse()).pid();
  await startKafkaEngine(database, broker ?? "", topic);
  const drain = await watchDrain({
    records,
    rows: () => database.rows(),
    programs: {},
    servers: { clickHouse },
  });
  await stopKafkaEngine(database);
  await database.drop();
  return drain;
}

/** kafkajs, which reads and throws away. */
export async function discardWithKafkajs(lab: Lab, { topic, records }: Backlog): Promise<Drain> {
  const { brokers } = await lab.kafka();
  const beganAt = performance.now();
  const peer = lab.run("kafkajs discarding", {
    KAFKA_BROKERS: brokers.join(","),
    KAFKA_TOPIC: topic,
    KAFKA_GROUP_ID: uniqueName("discarding"),
    RECORDS: String(records),
  });
  await peer.untilItSaysReady();
  const cpuMs = cpuMsOf(peer.pid);
  const bytes = residentBytesOf(peer.pid);
  const said = JSON.parse(/^\{.*\}$/m.exec(peer.output)?.[0] ?? "{}") as {
    records: number;
    ms: number;
  };
  const totalMs = performance.now() - beganAt;
  await peer.stop();
  return {
    records,
    perSecond: (said.records * 1_000) / said.ms,
    totalMs,
    cpuMicrosEach: { kafkajs: (cpuMs * 1_000) / records },
    peakBytes: { kafkajs: bytes },
  };
}
