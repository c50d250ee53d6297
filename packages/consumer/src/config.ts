import {
  type ConfigOf,
  integerOption,
  KAFKA_OPTIONS,
  logLevelOption,
  operationsPortOption,
  patternOption,
  shutdownTimeoutOption,
  withContradictions,
} from "@push-reports/service-kit";
import { CLICKHOUSE_OPTIONS, TABLE_OPTIONS } from "./clickhouse-options.js";
import { INGEST_VALUES, ingestFaults } from "./ingest-options.js";
import { DEAD_LETTER_REQUESTS } from "./kafka-dead-letters.js";

const CONSUMER_VALUES = {
  ...INGEST_VALUES,
  operationsPort: operationsPortOption(8_082),
  groupId: patternOption({
    name: "KAFKA_GROUP_ID",
    about: "Consumer group; all consumers of a deployment share it.",
    form: "group name (letters, digits, . _ -)",
    pattern: /^[A-Za-z0-9._-]{1,249}$/,
    fallback: "push-reports",
  }),
  source: patternOption({
    name: "KAFKA_SOURCE",
    about:
      "Names cluster, topic and incarnation of the topic in every row. Choose a new one when the topic was deleted and made again, " +
      "never otherwise.",
    form: "name (letters, digits, . _ - :, up to 100)",
    pattern: /^[A-Za-z0-9._:-]{1,100}$/,
    fallback: "kafka.push-reports.1",
  }),
  deadLetterTopic: patternOption({
    name: "KAFKA_DEAD_LETTER_TOPIC",
    about: "Topic for records that cannot become rows. It must exist.",
    form: "topic name (letters, digits, . _ -, up to 249)",
    pattern: /^[A-Za-z0-9._-]{1,249}$/,
    fallback: "push-reports-dead-letters",
  }),
  sessionTimeoutMs: integerOption({
    name: "KAFKA_SESSION_TIMEOUT_MS",
    about:
      "After this time without a heartbeat the group gives this consumer's partitions to others.",
    unit: "ms",
    min: 1_000,
    max: 1_800_000,
    fallback: 15_000,
  }),
  heartbeatIntervalMs: integerOption({
    name: "KAFKA_HEARTBEAT_INTERVAL_MS",
    about: "Time between heartbeats; a rebalance is noticed by the next one.",
    unit: "ms",
    min: 100,
    max: 1_000,
    fallback: 500,
  }),
  rebalanceTimeoutMs: integerOption({
    name: "KAFKA_REBALANCE_TIMEOUT_MS",
    about: "How long the group waits for a consumer to join anew.",
    unit: "ms",
    min: 1_000,
    max: 1_800_000,
    fallback: 20_000,
  }),
  requestTimeoutMs: integerOption({
    name: "KAFKA_REQUEST_TIMEOUT_MS",
    about: "How long an answer of a broker may take.",
    unit: "ms",
    min: 500,
    max: 120_000,
    fallback: 10_000,
  }),
  maxFetchWaitMs: integerOption({
    name: "KAFKA_MAX_FETCH_WAIT_MS",
    about: "How long a fetch waits for records.",
    unit: "ms",
    min: 10,
    max: 1_000,
    fallback: 250,
  }),
  maxFetchBytes: integerOption({
    name: "KAFKA_MAX_FETCH_BYTES",
    about:
      "Bytes of one fetch, as sent; compressed batches that inflate to more are left to the next one, but for the last of them.",
    unit: "bytes",
    min: 65_536,
    max: 268_435_456,
    fallback: 16 * 1024 * 1024,
  }),
  maxPartitionFetchBytes: integerOption({
    name: "KAFKA_MAX_PARTITION_FETCH_BYTES",
    about:
      "Bytes of one partition in a fetch, as sent. What the partition has no room for by then is dropped and fetched again, of a compressed batch from its " +
      "begin. Where that is much of it (more than 96 partitions a process with the defaults, or a backlog of gzip batches), less is better here.",
    unit: "bytes",
    min: 65_536,
    max: 67_108_864,
    fallback: 1024 * 1024,
  }),
  maxBatchBytes: integerOption({
    name: "KAFKA_MAX_BATCH_BYTES",
    about:
      "Bytes that one gzip batch of the topic may inflate to; at one that does to more the consumer stands still, is not ready and says so. " +
      "Gateways make none above their MAX_BATCH_BYTES. Memory of the process, as a rule at most: twice MAX_BUFFERED_BYTES, for each broker twice this and " +
      "KAFKA_MAX_FETCH_BYTES, and 100 MiB. It can be more where a partition's records wait while others' go on: a record keeps its whole batch in memory " +
      "and, where it was not compressed, the whole answer to its fetch.",
    unit: "bytes",
    min: 8_388_608,
    max: 1_073_741_824,
    fallback: 128 * 1024 * 1024,
  }),
  maxBufferedBytes: integerOption({
    name: "MAX_BUFFERED_BYTES",
    about:
      "Memory footprint of all records from their fetch to their commit. The partitions share what of it is not lent (BUFFER_LENT_PERCENT), " +
      "half for what waits and half for what is being inserted: an insert has no more than its partition's half. " +
      "Beyond it may be: one record a partition, and what an earlier consumer left under way.",
    unit: "bytes",
    min: 1_048_576,
    max: 4_294_967_296,
    fallback: 192 * 1024 * 1024,
  }),
  lentPercent: integerOption({
    name: "BUFFER_LENT_PERCENT",
    about:
      "How much of MAX_BUFFERED_BYTES partitions lend to each other, so that as many at a time as there is room for grow to MAX_RANGE_BYTES. " +
      "Larger inserts cost ClickHouse a third less, and the consumer half as much again: worth it where ClickHouse is the limit.",
    unit: "%",
    min: 0,
    max: 90,
    fallback: 0,
  }),
  shutdownTimeoutMs: shutdownTimeoutOption(
    "How long a stop may take; an insert that has not ended by then is done again by the successor.",
    12_000,
  ),
  logLevel: logLevelOption("info"),
} as const;

/** Every option of the consumer's process. */
export const CONSUMER_OPTIONS = withContradictions(CONSUMER_VALUES, (values) => {
  const { heartbeatIntervalMs = 0, sessionTimeoutMs = Number.POSITIVE_INFINITY } = values;
  const { requestTimeoutMs = 0, stallTimeoutMs = Number.POSITIVE_INFINITY } = values;
  const isLate = heartbeatIntervalMs * 2 > sessionTimeoutMs;
  return [
    ...ingestFaults(values),
    ...(stallTimeoutMs < requestTimeoutMs * DEAD_LETTER_REQUESTS
      ? [
          `STALL_TIMEOUT_MS must be at least ${DEAD_LETTER_REQUESTS} times KAFKA_REQUEST_TIMEOUT_MS, or a broker that hangs counts as a stall before a request to it has failed`,
        ]
      : []),
    ...(isLate
      ? [
          "KAFKA_HEARTBEAT_INTERVAL_MS must be at most half of KAFKA_SESSION_TIMEOUT_MS, or one late heartbeat ends the session",
        ]
      : []),
  ];
});

/** Everything that the consumer reads from its environment, by theme. */
export const CONSUMER_OPTION_GROUPS = {
  consumer: CONSUMER_OPTIONS,
  kafka: KAFKA_OPTIONS,
  clickHouse: CLICKHOUSE_OPTIONS,
  tables: TABLE_OPTIONS,
} as const;

/** Everything that `migrate` reads from its environment, by theme. */
export const MIGRATE_OPTION_GROUPS = {
  clickHouse: CLICKHOUSE_OPTIONS,
  tables: TABLE_OPTIONS,
  migrate: {
    waitMs: integerOption({
      name: "MIGRATE_WAIT_MS",
      about: "How long migrate waits for ClickHouse to answer.",
      unit: "ms",
      min: 0,
      max: 600_000,
      fallback: 60_000,
    }),
    logLevel: CONSUMER_OPTIONS.logLevel,
  },
} as const;

/** Values of {@link CONSUMER_OPTIONS}. */
export type ConsumerConfig = ConfigOf<typeof CONSUMER_OPTIONS>;
