import { type TlsNames, tlsProblemOf } from "./tls-misconfiguration.js";

const TLS_NAMES: TlsNames = {
  whose: "the brokers'",
  caFile: "KAFKA_SSL_CA_FILE",
  host: "the host of KAFKA_BROKERS or of an advertised listener",
};

/** Errors of Kafka that stay until somebody mends the deployment, and what to mend. Types and names are those of kafkajs, codes those of Node.js. */
const TO_MEND: ReadonlyMap<unknown, string> = new Map([
  ["UNKNOWN_TOPIC_OR_PARTITION", "the topic does not exist"],
  ["TOPIC_AUTHORIZATION_FAILED", "the user has no right to the topic"],
  ["GROUP_AUTHORIZATION_FAILED", "the user has no right to the group"],
  [
    "CLUSTER_AUTHORIZATION_FAILED",
    "the user has no right to write to the topic, or none to the cluster",
  ],
  ["SASL_AUTHENTICATION_FAILED", "user or password is wrong"],
  ["UNSUPPORTED_SASL_MECHANISM", "the broker does not know the SASL mechanism"],
  ["ILLEGAL_SASL_STATE", "the listener does not ask for SASL: unset KAFKA_SASL_MECHANISM"],
  ["KafkaJSSASLAuthenticationError", "user or password is wrong"],
  [
    "INCONSISTENT_GROUP_PROTOCOL",
    "the group has members of another program: KAFKA_GROUP_ID must belong to this consumer alone",
  ],
  [
    "INVALID_SESSION_TIMEOUT",
    "the brokers' group.min.session.timeout.ms and group.max.session.timeout.ms do not allow KAFKA_SESSION_TIMEOUT_MS",
  ],
  [
    "BATCH_TOO_LARGE",
    "a compressed batch of the topic inflates to more than KAFKA_MAX_BATCH_BYTES: raise it, and the memory limit with it",
  ],
  // What a broker of Kafka 4.1 answers, over TLS 1.3 and 1.2.
  [
    "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED",
    "the listener demands a client certificate: set KAFKA_SSL_CERT_FILE and KAFKA_SSL_KEY_FILE",
  ],
  [
    "ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE",
    "the listener demands a client certificate (KAFKA_SSL_CERT_FILE and KAFKA_SSL_KEY_FILE), or another version of TLS",
  ],
  [
    "ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN",
    "the brokers do not trust the client certificate of KAFKA_SSL_CERT_FILE",
  ],
]);

/** What somebody has to mend, by an error of kafkajs or one of its causes; null when it may pass by itself. */
export function misconfigurationOf(error: unknown): string | null {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { type, code } = cause as { type?: unknown; code?: unknown };
    const reason =
      TO_MEND.get(type) ??
      TO_MEND.get(code) ??
      TO_MEND.get(cause.name) ??
      tlsProblemOf(code, TLS_NAMES);
    if (reason !== null) return reason;
  }
  return null;
}
