import kafkajs, { type Admin, type Kafka } from "kafkajs";
import type { DoctorConfig } from "./config.js";
import { type Finding, failed, ok, warning } from "./finding.js";
import {
  type DescribedTopic,
  judgeDeadLetterTopic,
  judgeRecordsTopic,
  judgeReplication,
} from "./topic-contract.js";

/** Topic that holds the committed offsets of groups, and with them the intents. */
const OFFSETS_TOPIC = "__consumer_offsets";

/** Looks at the brokers, the topics and the group. Never throws: what cannot be looked at is a finding. */
export async function checkKafka(kafka: Kafka, config: DoctorConfig): Promise<readonly Finding[]> {
  const admin = kafka.admin({ retry: { retries: 1, initialRetryTime: 200 } });
  try {
    await admin.connect();
  } catch (error) {
    return [
      failed(
        "Kafka: reachable",
        `no broker of KAFKA_BROKERS lets us in (${messageOf(error)}).`,
        "check KAFKA_BROKERS, the network, KAFKA_SSL and the SASL account.",
      ),
    ];
  }
  try {
    return await checkConnected(admin, config);
  } catch (error) {
    return [
      failed(
        "Kafka: answers",
        messageOf(error),
        "check the rights of the account (Describe, DescribeConfigs).",
      ),
    ];
  } finally {
    await admin.disconnect();
  }
}

async function checkConnected(admin: Admin, config: DoctorConfig): Promise<readonly Finding[]> {
  const { topic } = config.kafka;
  const { deadLetterTopic } = config.consumer;
  const { replication, outageHours, consumers } = config.expectations;
  const { brokers } = await admin.describeCluster();
  const existing = new Set(await admin.listTopics());
  const findings: Finding[] = [ok("Kafka: reachable", `${brokers.length} brokers.`)];
  for (const name of [topic, deadLetterTopic, OFFSETS_TOPIC])
    if (!existing.has(name)) findings.push(missing(name));
  if (existing.has(topic)) {
    const described = await describe(admin, topic);
    findings.push(
      ...judgeReplication(described, replication),
      ...judgeRecordsTopic(described, {
        replication,
        retentionHours: outageHours,
        maxBatchBytes: config.gateway.maxBatchBytes,
        consumers: Math.max(consumers, await membersOf(admin, config.consumer.groupId)),
      }),
    );
    if (existing.has(deadLetterTopic))
      findings.push(judgeDeadLetterTopic(await describe(admin, deadLetterTopic), described));
  }
  for (const name of [deadLetterTopic, OFFSETS_TOPIC])
    if (existing.has(name))
      findings.push(...judgeReplication(await describe(admin, name), replication));
  return findings;
}

function missing(topic: string): Finding {
  if (topic === OFFSETS_TOPIC)
    return warning(
      `topic ${topic}`,
      "does not exist yet: no group has committed anything.",
      "run doctor again once a consumer has run.",
    );
  return failed(
    `topic ${topic}`,
    "does not exist.",
    "create it; the services never do (see docs/architecture.md for its settings).",
  );
}

async function describe(admin: Admin, topic: string): Promise<DescribedTopic> {
  const [metadata, configs] = await Promise.all([
    admin.fetchTopicMetadata({ topics: [topic] }),
    admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic }],
    }),
  ]);
  const entries = configs.resources.flatMap(({ configEntries }) => configEntries);
  return {
    topic,
    partitions: metadata.topics.flatMap(({ partitions }) =>
      partitions.map(({ leader, replicas, isr }) => ({
        leader,
        replicas: replicas.length,
        inSync: isr.length,
      })),
    ),
    settings: new Map(entries.map(({ configName, configValue }) => [configName, configValue])),
  };
}

async function membersOf(admin: Admin, groupId: string): Promise<number> {
  const { groups } = await admin.describeGroups([groupId]);
  return groups.reduce((sum, { members }) => sum + members.length, 0);
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
