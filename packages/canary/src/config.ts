import { CLICKHOUSE_OPTIONS, TABLE_OPTIONS } from "@push-reports/consumer";
import { MIN_CANARY_SECRET_LENGTH } from "@push-reports/report";
import {
  integerOption,
  logLevelOption,
  operationsPortOption,
  secretOption,
  shutdownTimeoutOption,
  urlOption,
} from "@push-reports/service-kit";

const CANARY_OPTIONS = {
  canaryUrl: urlOption({
    name: "CANARY_URL",
    about: "Where the canary's reports are sent: best the address that SDKs use, before the path.",
    fallback: "http://localhost:8080",
  }),
  canarySecret: secretOption({
    name: "CANARY_SECRET",
    about: "What the gateways have as their CANARY_SECRET.",
    minLength: MIN_CANARY_SECRET_LENGTH,
  }),
  reports: integerOption({
    name: "CANARY_REPORTS",
    about:
      "Reports of one round, one after the other. As many as the topic has partitions: without other traffic each goes to another.",
    unit: "reports",
    min: 1,
    max: 1_000,
    fallback: 12,
  }),
  intervalSecs: integerOption({
    name: "CANARY_INTERVAL_SECONDS",
    about: "From the start of one round to the next.",
    unit: "s",
    min: 1,
    max: 3_600,
    fallback: 60,
  }),
  missingAfterSecs: integerOption({
    name: "CANARY_MISSING_SECONDS",
    about:
      "A report that cannot be queried so long after its 200 counts as missing, and is no longer waited for.",
    unit: "s",
    min: 5,
    max: 86_400,
    fallback: 3_600,
  }),
  operationsPort: operationsPortOption(8_084),
  shutdownTimeoutMs: shutdownTimeoutOption("How long a stop may take in all.", 5_000),
  logLevel: logLevelOption("info"),
} as const;

/** Everything that the canary reads from its environment, by theme. */
export const CANARY_OPTION_GROUPS = {
  canary: CANARY_OPTIONS,
  clickHouse: CLICKHOUSE_OPTIONS,
  database: { database: TABLE_OPTIONS.database },
} as const;
