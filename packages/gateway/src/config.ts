import { MIN_CANARY_SECRET_LENGTH, UUID_PATTERN } from "@push-reports/report";
import {
  type ConfigOf,
  choiceOption,
  equalPorts,
  integerOption,
  KAFKA_OPTIONS,
  listOption,
  logLevelOption,
  operationsPortOption,
  optional,
  secretOption,
  shutdownTimeoutOption,
  textOption,
  withContradictions,
} from "@push-reports/service-kit";
import { tooShortStop } from "./stop-times.js";
import { trustProxyOption } from "./trust-proxy.js";

/** How reports are taken over HTTP, wherever they go then. */
export const HTTP_OPTIONS = {
  httpPort: integerOption({
    name: "HTTP_PORT",
    about: "Port that the SDKs' requests come to.",
    unit: "port",
    min: 0,
    max: 65_535,
    fallback: 8_080,
  }),
  httpHost: optional(
    textOption({
      name: "HTTP_HOST",
      about: "Address to listen on; without it, every address of the machine.",
      form: "address or host name",
    }),
  ),
  maxBodyBytes: integerOption({
    name: "MAX_BODY_BYTES",
    about: "Largest body of a request, as sent and as inflated. SDKs send 200 to 600 bytes.",
    unit: "bytes",
    min: 1_024,
    max: 1_048_576,
    fallback: 16_384,
  }),
  maxHeaderBytes: integerOption({
    name: "MAX_HEADER_BYTES",
    about: "Largest head of a request: its first line and headers.",
    unit: "bytes",
    min: 2_048,
    max: 131_072,
    fallback: 16_384,
  }),
  headersTimeoutMs: integerOption({
    name: "HEADERS_TIMEOUT_MS",
    about: "How long a client may take to send the head of a request.",
    unit: "ms",
    min: 100,
    max: 600_000,
    fallback: 8_000,
  }),
  requestTimeoutMs: integerOption({
    name: "REQUEST_TIMEOUT_MS",
    about: "How long a client may take to send a whole request; at least HEADERS_TIMEOUT_MS.",
    unit: "ms",
    min: 100,
    max: 600_000,
    fallback: 15_000,
  }),
  keepAliveMs: integerOption({
    name: "KEEP_ALIVE_MS",
    about:
      "How long an idle connection is kept. Longer than the 60 s of common load balancers, so that they close first.",
    unit: "ms",
    min: 1_000,
    max: 3_600_000,
    fallback: 75_000,
  }),
  maxConnections: integerOption({
    name: "MAX_CONNECTIONS",
    about:
      "Open connections; a request on one more is answered 503, and ends it. Each costs some 10 KiB and an open file; a low limit of open files lowers it.",
    unit: "connections",
    min: 1,
    max: 1_000_000,
    fallback: 10_000,
  }),
  maxInFlightRequests: integerOption({
    name: "MAX_IN_FLIGHT_REQUESTS",
    about: "Requests that may be under way at once; one more is answered 503 at once.",
    unit: "requests",
    min: 1,
    max: 1_000_000,
    fallback: 10_000,
  }),
  maxLargeRequestsBytes: integerOption({
    name: "MAX_LARGE_REQUESTS_BYTES",
    about:
      "Memory of requests that take more than 8 KiB each, mostly headers; past it the one that has been arriving for the longest is answered 503.",
    unit: "bytes",
    // More than one of them can take: its body, and 2,000 headers, the most that node:http keeps.
    min: 8_388_608,
    max: 1_073_741_824,
    fallback: 33_554_432,
  }),
  maxInFlightPerClient: optional(
    integerOption({
      name: "MAX_IN_FLIGHT_PER_CLIENT",
      about:
        "Requests of one client address that may be under way at once; one more is answered 503 at once. Many devices may share an address. Behind proxies it needs TRUST_PROXY.",
      unit: "requests",
      min: 1,
      max: 1_000_000,
    }),
  ),
  trustProxy: trustProxyOption,
  instanceIds: optional(
    listOption({
      name: "INSTANCE_IDS",
      about:
        "Instances that may report; without it and INSTANCE_IDS_FILE, any. Others are refused.",
      form: "UUIDs, separated by commas",
      pattern: UUID_PATTERN,
    }),
  ),
  instanceIdsFile: optional(
    textOption({
      name: "INSTANCE_IDS_FILE",
      about:
        "File with more instances that may report, one a line, # begins a comment; a regular file of at most 16 MiB, some 400,000 instances. It is read again within seconds of a change; a version that cannot be used is logged and the last one holds.",
      form: "path",
    }),
  ),
  canarySecret: optional(
    secretOption({
      name: "CANARY_SECRET",
      about:
        "What the canary's reports must carry; without it the canary's reserved instance is refused, whoever asks.",
      minLength: MIN_CANARY_SECRET_LENGTH,
    }),
  ),
  answerDeadlineMs: integerOption({
    name: "ANSWER_DEADLINE_MS",
    about:
      "How long a report may take to become durable; then the answer is 503. Android sends again after 10 s of waiting.",
    unit: "ms",
    min: 500,
    max: 9_000,
    fallback: 5_000,
  }),
  shutdownDelayMs: integerOption({
    name: "SHUTDOWN_DELAY_MS",
    about:
      "How long requests are still taken after a stop signal, unready already, so that load balancers notice first.",
    unit: "ms",
    min: 0,
    max: 300_000,
    fallback: 2_000,
  }),
} as const;

/** How records reach Kafka. */
export const PUBLISH_OPTIONS = {
  lanes: integerOption({
    name: "LANES",
    about:
      "Producers that send at the same time, each one batch at a time. More than one keeps reports moving while one broker hangs.",
    unit: "producers",
    min: 1,
    max: 4,
    fallback: 2,
  }),
  maxWaitingBytes: integerOption({
    name: "MAX_WAITING_BYTES",
    about: "Bytes of records that may wait for Kafka; past it the answer is 503 at once.",
    unit: "bytes",
    min: 65_536,
    max: 1_073_741_824,
    fallback: 16 * 1024 * 1024,
  }),
  maxBatchBytes: integerOption({
    name: "MAX_BATCH_BYTES",
    about:
      "Bytes of one batch, before compression. Stay below the topic's max.message.bytes (1 MiB by default).",
    unit: "bytes",
    min: 16_384,
    max: 8_388_608,
    fallback: 524_288,
  }),
  compression: choiceOption({
    name: "COMPRESSION",
    about: "Compression of batches: gzip saves network and disk and costs processor time.",
    choices: ["none", "gzip"] as const,
    fallback: "none",
  }),
} as const;

/** Where records are kept while Kafka cannot take them. */
export const SPILL_OPTIONS = {
  spillDir: optional(
    textOption({
      name: "SPILL_DIR",
      about:
        "Folder on a disk that outlives the process, for reports that Kafka cannot take now; each gateway needs one of its own. Without it they are answered 503.",
      form: "path",
    }),
  ),
  spillMaxBytes: integerOption({
    name: "SPILL_MAX_BYTES",
    about:
      "Bytes of reports in the spill; past it the answer is 503. Some 700 bytes a report. The files may take twice as much.",
    unit: "bytes",
    min: 1_048_576,
    max: 1_099_511_627_776,
    fallback: 1_073_741_824,
  }),
} as const;

const GATEWAY_VALUES = {
  ...HTTP_OPTIONS,
  ...PUBLISH_OPTIONS,
  ...SPILL_OPTIONS,
  operationsPort: operationsPortOption(8_081),
  shutdownTimeoutMs: shutdownTimeoutOption(
    "How long a stop may take in all; at least 2 s more than SHUTDOWN_DELAY_MS and ANSWER_DEADLINE_MS together.",
    12_000,
  ),
  logLevel: logLevelOption("info"),
} as const;

/** Every option of the gateway's process besides Kafka's. */
export const GATEWAY_OPTIONS = withContradictions(GATEWAY_VALUES, (values) => [
  ...tooShortStop(values),
  ...equalPorts({ HTTP_PORT: values.httpPort, OPERATIONS_PORT: values.operationsPort }),
]);

/** Everything that the gateway reads from its environment, by theme. */
export const GATEWAY_OPTION_GROUPS = { gateway: GATEWAY_OPTIONS, kafka: KAFKA_OPTIONS } as const;

/** Values of {@link HTTP_OPTIONS}. */
export type HttpConfig = ConfigOf<typeof HTTP_OPTIONS>;
/** Values of {@link PUBLISH_OPTIONS}. */
export type PublishConfig = ConfigOf<typeof PUBLISH_OPTIONS>;
/** Values of {@link GATEWAY_OPTIONS}. */
export type GatewayConfig = ConfigOf<typeof GATEWAY_OPTIONS>;
