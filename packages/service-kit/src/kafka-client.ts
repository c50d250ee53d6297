import { Kafka, type LogEntry, logLevel, type SASLOptions } from "kafkajs";
import type { KafkaConfig } from "./kafka-options.js";
import { overrideIdleTimer } from "./kafkajs-overrides.js";
import type { Logger } from "./logger.js";

/** Bounds of one request to a broker. */
export interface KafkaTimeouts {
  /** How long an answer may take before the request counts as failed with unknown outcome, ms. */
  readonly requestTimeoutMs: number;
}

/** Makes a kafkajs client from the configuration; it connects to nothing yet. */
export function createKafka(config: KafkaConfig, timeouts: KafkaTimeouts, logger: Logger): Kafka {
  overrideIdleTimer();
  return new Kafka({
    clientId: config.clientId,
    brokers: [...config.brokers],
    connectionTimeout: config.connectionTimeoutMs,
    requestTimeout: timeouts.requestTimeoutMs,
    enforceRequestTimeout: true,
    retry: { initialRetryTime: 100, maxRetryTime: 2_000, retries: 5 },
    ssl: sslOf(config),
    ...saslOf(config),
    logLevel: logLevel.WARN,
    logCreator: () => (entry) => logKafkajs(logger, entry),
  });
}

function sslOf({ ssl, sslCa, sslCert, sslKey }: KafkaConfig) {
  if (!ssl) return false;
  return {
    ...(sslCa === null ? {} : { ca: sslCa }),
    ...(sslCert === null ? {} : { cert: sslCert }),
    ...(sslKey === null ? {} : { key: sslKey }),
  };
}

function saslOf(config: KafkaConfig): { sasl?: SASLOptions } {
  if (config.saslMechanism === null) return {};
  const account = { username: config.saslUsername ?? "", password: config.saslPassword ?? "" };
  return { sasl: { mechanism: config.saslMechanism, ...account } as SASLOptions };
}

/** kafkajs says at level ERROR what it then retries by itself, so nothing of it is above a warning here. */
function logKafkajs(logger: Logger, { namespace, log }: LogEntry): void {
  const { message, error, broker, topic, partition, groupId } = log;
  logger.warn("kafkajs", { namespace, message, error, broker, topic, partition, groupId });
}
