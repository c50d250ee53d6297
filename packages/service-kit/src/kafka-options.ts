import type { ConfigOf } from "./env.js";
import {
  booleanOption,
  choiceOption,
  integerOption,
  listOption,
  optional,
  patternOption,
  secretOption,
  textOption,
} from "./options.js";

/** SASL mechanisms that can be configured. */
export const SASL_MECHANISMS = ["plain", "scram-sha-256", "scram-sha-512"] as const;

/** How any service reaches Kafka. */
export const KAFKA_OPTIONS = {
  brokers: listOption({
    name: "KAFKA_BROKERS",
    about: "Brokers to bootstrap from; name more than one, so that one may be away.",
    form: "host:port, comma-separated",
    pattern: /^[^\s:,/]+:\d{1,5}$|^\[[0-9a-f:]+\]:\d{1,5}$/i,
  }),
  topic: patternOption({
    name: "KAFKA_TOPIC",
    about: "Topic of the records. It must exist: neither service creates it.",
    form: "topic name (letters, digits, . _ -, up to 249)",
    pattern: /^[A-Za-z0-9._-]{1,249}$/,
    fallback: "push-reports",
  }),
  clientId: textOption({
    name: "KAFKA_CLIENT_ID",
    about: "Name of this client in the brokers' logs and quotas.",
    form: "text",
    fallback: "push-reports",
  }),
  ssl: booleanOption({
    name: "KAFKA_SSL",
    about: "Speak TLS with the brokers.",
    fallback: false,
  }),
  sslCaFile: optional(
    textOption({
      name: "KAFKA_SSL_CA_FILE",
      about: "Certificate authorities to trust, instead of those of the system.",
      form: "path of a PEM file",
    }),
  ),
  sslCertFile: optional(
    textOption({
      name: "KAFKA_SSL_CERT_FILE",
      about: "Client certificate; needs KAFKA_SSL_KEY_FILE.",
      form: "path of a PEM file",
    }),
  ),
  sslKeyFile: optional(
    textOption({
      name: "KAFKA_SSL_KEY_FILE",
      about: "Private key of the client certificate.",
      form: "path of a PEM file",
    }),
  ),
  saslMechanism: optional(
    choiceOption({
      name: "KAFKA_SASL_MECHANISM",
      about: "Authenticate with KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD.",
      choices: SASL_MECHANISMS,
    }),
  ),
  saslUsername: optional(
    secretOption({ name: "KAFKA_SASL_USERNAME", about: "User name for SASL." }),
  ),
  saslPassword: optional(
    secretOption({ name: "KAFKA_SASL_PASSWORD", about: "Password for SASL." }),
  ),
  connectionTimeoutMs: integerOption({
    name: "KAFKA_CONNECTION_TIMEOUT_MS",
    about: "How long connecting to a broker may take.",
    unit: "ms",
    min: 100,
    max: 60_000,
    fallback: 2_000,
  }),
} as const;

/** Values of {@link KAFKA_OPTIONS}. */
export type KafkaConfig = ConfigOf<typeof KAFKA_OPTIONS>;
