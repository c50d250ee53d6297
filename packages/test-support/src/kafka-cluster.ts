import { Kafka, logLevel } from "kafkajs";
import { ControlledContainer } from "./controlled-container.js";
import { freePort } from "./free-port.js";
import {
  BROKER_PORT,
  brokerEnvironment,
  brokerHost,
  type ClientProtocol,
  INTERNAL_PORT,
} from "./kafka-broker-environment.js";
import { patiently } from "./patience.js";
import { sharedNetwork } from "./shared-network.js";
import { testRun } from "./test-run.js";
import { uniqueName } from "./unique-name.js";
import { waitFor } from "./wait-for.js";

/** The image that compose and the tests run. */
export const KAFKA_IMAGE = "apache/kafka:4.1.1";
const START_TIMEOUT_MS = 60_000;

/** What a test asks of its own Kafka. */
export interface KafkaClusterOptions {
  /** @default 1 */
  readonly brokers?: 1 | 2 | 3;
  /** `KAFKA_*` variables that replace the usual ones, e.g. `KAFKA_MIN_INSYNC_REPLICAS`. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Of the listener that the test reaches; `environment` then says what it demands. @default "PLAINTEXT" */
  readonly clientProtocol?: ClientProtocol;
  /** Files in each container, by path. */
  readonly files?: Readonly<Record<string, string>>;
}

/**
 * A Kafka of a test's own. Brokers are counted from 0 here; their Kafka ids are one higher.
 * Of three brokers any one may be away. Of two, broker 0 alone is the controller: break broker 1.
 */
export interface KafkaCluster {
  /** `host:port` of each broker, as clients outside of the containers reach it. */
  readonly brokers: readonly string[];
  /** The Docker network that the brokers are in, with the other clusters of the run. */
  readonly network: string;
  /** `host:port` of each broker, as containers in that network reach it. */
  readonly brokersInNetwork: readonly string[];
  /** A broker's process, as this machine counts processes. */
  pid(broker: number): Promise<number>;
  pause(broker: number): Promise<void>;
  unpause(broker: number): Promise<void>;
  /** SIGKILL. */
  kill(broker: number): Promise<void>;
  /** SIGTERM: the broker hands its partitions over first, where it can. Resolves once it is gone. */
  shutDown(broker: number): Promise<void>;
  /** Brings a killed or running broker back under the same port with its data, and waits until it takes part again. */
  restart(broker: number): Promise<void>;
  /** Output of a command in a broker's container, e.g. `["/opt/kafka/bin/kafka-topics.sh", …]`. @throws Error when it fails. */
  exec(broker: number, command: readonly string[]): Promise<string>;
  /** Makes `broker`, which must have a replica or be given one by this, the leader of a partition; resolves once it is. */
  moveLeader(topic: string, partition: number, broker: number): Promise<void>;
  /** Removes the containers and their data. */
  stop(): Promise<void>;
}

/** Starts one KRaft cluster in containers, each broker on a free port of 127.0.0.1; some three to six seconds. */
export async function startKafka(options: KafkaClusterOptions = {}): Promise<KafkaCluster> {
  const size = options.brokers ?? 1;
  const name = uniqueName("kafka");
  const { labels } = testRun();
  const network = await sharedNetwork();
  // Most suites that import this module start no container, and the package is slow to load.
  const { GenericContainer, Wait } = await import("testcontainers");
  const { clientProtocol = "PLAINTEXT" } = options;
  const files = Object.entries(options.files ?? {});
  const ports = await Promise.all(Array.from({ length: size }, freePort));
  const brokers = ports.map((port) => `127.0.0.1:${port}`);
  const containers = await Promise.all(
    ports.map(async (port, index) => {
      const started = await new GenericContainer(KAFKA_IMAGE)
        .withLabels({ ...labels })
        .withNetworkMode(network)
        .withNetworkAliases(brokerHost(name, index))
        .withExposedPorts({ container: BROKER_PORT, host: port })
        .withEnvironment({
          ...brokerEnvironment({ cluster: name, index, size, port, clientProtocol }),
          ...options.environment,
        })
        .withCopyContentToContainer(files.map(([target, content]) => ({ target, content })))
        .withWaitStrategy(Wait.forLogMessage(/Kafka Server started/))
        .withStartupTimeout(patiently(START_TIMEOUT_MS))
        .start();
      return new ControlledContainer(started, () => brokerJoined(brokers, index));
    }),
  );
  const at = (broker: number) => {
    const container = containers[broker];
    if (container === undefined) throw new Error(`There is no broker ${broker} of ${size}`);
    return container;
  };
  return {
    brokers,
    network,
    brokersInNetwork: ports.map((_, index) => `${brokerHost(name, index)}:${INTERNAL_PORT}`),
    pid: (broker) => at(broker).pid(),
    pause: (broker) => at(broker).pause(),
    unpause: (broker) => at(broker).unpause(),
    kill: (broker) => at(broker).kill(),
    shutDown: (broker) => at(broker).shutDown(),
    restart: (broker) => at(broker).restart(),
    exec: (broker, command) => at(broker).exec(command),
    moveLeader: (topic, partition, broker) => moveLeader(brokers, at, { topic, partition, broker }),
    stop: async () => {
      await Promise.all(containers.map((container) => container.stop()));
    },
  };
}

/** A client whose single attempts fail quickly, for conditions that are looked at again. */
function impatientAdmin(brokers: readonly string[]) {
  return new Kafka({
    brokers: [...brokers],
    logLevel: logLevel.NOTHING,
    connectionTimeout: 1_000,
    requestTimeout: 2_000,
    retry: { retries: 0 },
  }).admin();
}

/** Waits until the broker itself answers and counts itself among the cluster's. */
async function brokerJoined(brokers: readonly string[], index: number): Promise<void> {
  await waitFor(
    async () => {
      const admin = impatientAdmin(brokers.slice(index, index + 1));
      try {
        await admin.connect();
        const cluster = await admin.describeCluster();
        return cluster.brokers.some((broker) => broker.nodeId === index + 1);
      } finally {
        await admin.disconnect();
      }
    },
    { what: `broker ${index} to come back`, timeoutMs: START_TIMEOUT_MS, intervalMs: 250 },
  );
}

async function moveLeader(
  brokers: readonly string[],
  at: (broker: number) => ControlledContainer,
  move: { readonly topic: string; readonly partition: number; readonly broker: number },
): Promise<void> {
  const { topic, partition } = move;
  const nodeId = move.broker + 1;
  const admin = impatientAdmin(brokers);
  await admin.connect();
  try {
    const stateOf = async () => {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
      const found = topics[0]?.partitions.find(({ partitionId }) => partitionId === partition);
      if (found === undefined) throw new Error(`There is no partition ${topic}/${partition}`);
      return found;
    };
    const { replicas } = await stateOf();
    const others = replicas.filter((id) => id !== nodeId);
    const wanted = [nodeId, ...others].slice(0, replicas.length);
    await admin.alterPartitionReassignments({
      topics: [{ topic, partitionAssignment: [{ partition, replicas: wanted }] }],
    });
    await waitFor(async () => (await stateOf()).isr.includes(nodeId), {
      what: `broker ${move.broker} to hold a replica of ${topic}/${partition}`,
    });
    await electPreferredLeader(at, move);
    await waitFor(async () => (await stateOf()).leader === nodeId, {
      what: `broker ${move.broker} to lead ${topic}/${partition}`,
    });
  } finally {
    await admin.disconnect();
  }
}

/** kafkajs has no request for this, so Kafka's own tool does it, over the listener that containers reach each other by. */
async function electPreferredLeader(
  at: (broker: number) => ControlledContainer,
  move: { readonly topic: string; readonly partition: number; readonly broker: number },
): Promise<void> {
  const tool = "/opt/kafka/bin/kafka-leader-election.sh";
  const to = ["--bootstrap-server", `localhost:${INTERNAL_PORT}`];
  const what = ["--topic", move.topic, "--partition", `${move.partition}`];
  await at(move.broker).exec([tool, ...to, "--election-type", "preferred", ...what]);
}
