import { createPrivateKey, X509Certificate } from "node:crypto";
import { type ConfigOf, withContradictions } from "./env.js";
import {
  booleanOption,
  certificatesOption,
  choiceOption,
  integerOption,
  listOption,
  optional,
  patternOption,
  privateKeyOption,
  secretOption,
  textOption,
} from "./options.js";

/** SASL mechanisms that can be configured. */
export const SASL_MECHANISMS = ["plain", "scram-sha-256", "scram-sha-512"] as const;

const OPTIONS = {
  brokers: listOption({
    name: "KAFKA_BROKERS",
    about: "Brokers to bootstrap from; name more than one, so that one may be away.",
    form: "host:port, comma-separated",
    // kafkajs 2.2.4 takes what is before the first colon for the host: an IPv6 address has to have a name.
    pattern:
      /^[^\s:,/[\]]+:(?:[1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5])$/,
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
  sslCa: optional(
    certificatesOption({
      name: "KAFKA_SSL_CA_FILE",
      about: "Certificate authorities to trust, instead of those of the system.",
    }),
  ),
  sslCert: optional(
    certificatesOption({
      name: "KAFKA_SSL_CERT_FILE",
      about: "Client certificate; needs KAFKA_SSL_KEY_FILE.",
    }),
  ),
  sslKey: optional(
    privateKeyOption({
      name: "KAFKA_SSL_KEY_FILE",
      about: "Private key of the client certificate.",
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

/** How any service reaches Kafka. */
export const KAFKA_OPTIONS = withContradictions(OPTIONS, (config) => [
  ...tlsFaults(config),
  ...saslFaults(config),
]);

type Values = Partial<ConfigOf<typeof OPTIONS>>;

function tlsFaults({ ssl, sslCa, sslCert, sslKey }: Values): readonly string[] {
  const isSet = (file: unknown) => typeof file === "string";
  if (ssl === false && [sslCa, sslCert, sslKey].some(isSet))
    return ["KAFKA_SSL_CA_FILE, KAFKA_SSL_CERT_FILE and KAFKA_SSL_KEY_FILE need KAFKA_SSL=true"];
  if (sslCert === undefined || sslKey === undefined) return [];
  if (isSet(sslCert) !== isSet(sslKey))
    return ["KAFKA_SSL_CERT_FILE and KAFKA_SSL_KEY_FILE need each other: set both or neither"];
  if (sslCert === null || sslKey === null) return [];
  return new X509Certificate(sslCert).checkPrivateKey(createPrivateKey(sslKey))
    ? []
    : ["KAFKA_SSL_KEY_FILE holds another key than the one of KAFKA_SSL_CERT_FILE"];
}

function saslFaults({ saslMechanism, saslUsername, saslPassword }: Values): readonly string[] {
  const account = [saslUsername, saslPassword];
  if (saslMechanism === null && account.some((part) => typeof part === "string"))
    return ["KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD need KAFKA_SASL_MECHANISM"];
  if (typeof saslMechanism === "string" && account.some((part) => part === null || part === ""))
    return ["KAFKA_SASL_MECHANISM needs KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD"];
  return [];
}

/** Values of {@link KAFKA_OPTIONS}. */
export type KafkaConfig = ConfigOf<typeof KAFKA_OPTIONS>;
