import { Kafka, type LogEntry, logLevel, type SASLOptions } from "kafkajs";
import { type Clock, systemClock } from "./clock.js";
import type { KafkaConfig } from "./kafka-options.js";
import { overrideIdleTimer } from "./kafkajs-overrides.js";
import type { Logger } from "./logger.js";
import { RepeatedLines } from "./repeated-lines.js";

/** Bounds of one request to a broker. */
export interface KafkaTimeouts {
  /** How long an answer may take before the request counts as failed with unknown outcome, ms. */
  readonly requestTimeoutMs: number;
}

/** Makes a kafkajs client from the configuration; it connects to nothing yet. @param clock for the log only. */
export function createKafka(
  config: KafkaConfig,
  timeouts: KafkaTimeouts,
  logger: Logger,
  clock: Pick<Clock, "now"> = systemClock,
): Kafka {
  overrideIdleTimer();
  const lines = new RepeatedLines(clock);
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
    logCreator: () => (entry) => logKafkajs(logger, lines, entry),
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

/**
 * kafkajs says at level ERROR what it then retries by itself, so nothing of it is above a warning here; as long as Kafka is away it says
 * some ten lines a second.
 */
function logKafkajs(logger: Logger, lines: RepeatedLines, { namespace, log }: LogEntry): void {
  const { message, error, broker, topic, partition, groupId } = log;
  const repeated = lines.next([namespace, message, error, broker, topic, partition].join("|"));
  if (repeated === null) return;
  const fields = { namespace, message, error, broker, topic, partition, groupId };
  logger.warn("kafkajs", { ...fields, ...repeated });
}
