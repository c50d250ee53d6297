import { CLICKHOUSE_OPTIONS, CONSUMER_OPTIONS, TABLE_OPTIONS } from "@push-reports/consumer";
import { GATEWAY_OPTIONS } from "@push-reports/gateway";
import {
  type ConfigOfGroups,
  integerOption,
  KAFKA_OPTIONS,
  optional,
  urlOption,
} from "@push-reports/service-kit";

/** What a deployment is meant to be, which its parts cannot know by themselves. */
const EXPECTATION_OPTIONS = {
  replication: integerOption({
    name: "EXPECTED_REPLICATION",
    about:
      "Replicas that each partition must have. 1 only where the loss of one disk may lose reports.",
    unit: "replicas",
    min: 1,
    max: 9,
    fallback: 3,
  }),
  consumers: integerOption({
    name: "EXPECTED_CONSUMERS",
    about: "The most consumers that will run at once; each needs a partition of its own to work.",
    unit: "processes",
    min: 1,
    max: 10_000,
    fallback: 1,
  }),
  outageHours: integerOption({
    name: "LONGEST_OUTAGE_HOURS",
    about: "The longest outage of consumers or ClickHouse that no report may be lost in.",
    unit: "hours",
    min: 1,
    max: 8_760,
    fallback: 72,
  }),
  reportingUrl: optional(
    urlOption({
      name: "REPORTING_URL",
      about:
        "Address that SDKs send to, before the path; with it, doctor also looks from outside. It sends only what is refused.",
    }),
  ),
  gracePeriodSecs: optional(
    integerOption({
      name: "TERMINATION_GRACE_PERIOD_SECONDS",
      about: "terminationGracePeriodSeconds of the consumer's pods, where there are any.",
      unit: "s",
      min: 0,
      max: 86_400,
    }),
  ),
} as const;

/** Everything that `doctor` reads from its environment, by theme. */
export const DOCTOR_OPTION_GROUPS = {
  expectations: EXPECTATION_OPTIONS,
  kafka: KAFKA_OPTIONS,
  clickHouse: CLICKHOUSE_OPTIONS,
  tables: TABLE_OPTIONS,
  consumer: {
    groupId: CONSUMER_OPTIONS.groupId,
    deadLetterTopic: CONSUMER_OPTIONS.deadLetterTopic,
    insertTimeoutMs: CONSUMER_OPTIONS.insertTimeoutMs,
    maxInsertsPerSecond: CONSUMER_OPTIONS.maxInsertsPerSecond,
    shutdownTimeoutMs: CONSUMER_OPTIONS.shutdownTimeoutMs,
  },
  gateway: {
    maxBatchBytes: GATEWAY_OPTIONS.maxBatchBytes,
    maxConnections: GATEWAY_OPTIONS.maxConnections,
  },
} as const;

/** Values of {@link DOCTOR_OPTION_GROUPS}. */
export type DoctorConfig = ConfigOfGroups<typeof DOCTOR_OPTION_GROUPS>;
