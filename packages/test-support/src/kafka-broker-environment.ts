/** Where clients outside of the containers connect, inside of them. */
export const BROKER_PORT = 9092;
const CONTROLLER_PORT = 9093;
/** Where brokers and tools inside of the containers connect. */
export const INTERNAL_PORT = 9094;

/** A broker's name in the network that all clusters of a run share. @param cluster a name of its own. */
export const brokerHost = (cluster: string, index: number) =>
  `${cluster.replaceAll("_", "-")}-${index + 1}`;

/** How clients outside of the containers speak with a broker. */
export type ClientProtocol = "PLAINTEXT" | "SSL" | "SASL_SSL";

/**
 * Names of the listener for them: the public image asks for keystores of its own kind when one is called after a protocol with SSL.
 */
const CLIENT_LISTENERS = { PLAINTEXT: "PLAINTEXT", SSL: "SECURE", SASL_SSL: "SECURE" } as const;

/** One broker of a KRaft cluster, tuned for tests that should not wait. */
export function brokerEnvironment(broker: {
  readonly cluster: string;
  readonly index: number;
  readonly size: number;
  /** The port of 127.0.0.1 that leads to it. */
  readonly port: number;
  readonly clientProtocol: ClientProtocol;
}): Record<string, string> {
  const { cluster, index, size, port, clientProtocol } = broker;
  const client = CLIENT_LISTENERS[clientProtocol];
  const isController = size !== 2 || index === 0;
  const voters = Array.from({ length: size === 2 ? 1 : size }, (_, voter) => voter);
  const listeners = [`${client}://:${BROKER_PORT}`, `INTERNAL://:${INTERNAL_PORT}`];
  if (isController) listeners.push(`CONTROLLER://:${CONTROLLER_PORT}`);
  return {
    KAFKA_NODE_ID: `${index + 1}`,
    KAFKA_PROCESS_ROLES: isController ? "broker,controller" : "broker",
    KAFKA_CONTROLLER_QUORUM_VOTERS: voters
      .map((voter) => `${voter + 1}@${brokerHost(cluster, voter)}:${CONTROLLER_PORT}`)
      .join(","),
    KAFKA_LISTENERS: listeners.join(","),
    KAFKA_ADVERTISED_LISTENERS: `${client}://127.0.0.1:${port},INTERNAL://${brokerHost(cluster, index)}:${INTERNAL_PORT}`,
    KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: `CONTROLLER:PLAINTEXT,INTERNAL:PLAINTEXT,${client}:${clientProtocol}`,
    KAFKA_INTER_BROKER_LISTENER_NAME: "INTERNAL",
    KAFKA_CONTROLLER_LISTENER_NAMES: "CONTROLLER",
    KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: `${size}`,
    KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS: "4",
    KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: "1",
    KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: "1",
    KAFKA_AUTO_CREATE_TOPICS_ENABLE: "false",
    KAFKA_AUTO_LEADER_REBALANCE_ENABLE: "false",
    KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: "0",
    KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS: "1000",
    // Sample records are as old as the sample says, and retention goes by that; its first run is 30 s after the broker's start.
    KAFKA_LOG_RETENTION_MS: "-1",
    // One broker alone has nobody to take over from it: it is given up late, so that a busy machine does not do it.
    KAFKA_BROKER_SESSION_TIMEOUT_MS: size === 1 ? "10000" : "3000",
    KAFKA_BROKER_HEARTBEAT_INTERVAL_MS: "500",
    KAFKA_HEAP_OPTS: "-Xms128m -Xmx384m",
    // Brokers of tests live for minutes at most: what the second compiler takes, a third of the CPU of a start, would not pay.
    JAVA_TOOL_OPTIONS: "-XX:TieredStopAtLevel=1",
  };
}
