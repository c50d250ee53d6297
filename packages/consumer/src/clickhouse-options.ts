import {
  type ConfigOf,
  integerOption,
  optional,
  patternOption,
  secretOption,
  textOption,
  urlOption,
} from "@push-reports/service-kit";

/** What the tables are like, for any way to run the database. */
export const TABLE_OPTIONS = {
  database: patternOption({
    name: "CLICKHOUSE_DATABASE",
    about: "Database of the tables; migrations create it.",
    form: "name (a letter or _, then letters, digits and _)",
    pattern: /^[A-Za-z_][A-Za-z0-9_]{0,62}$/,
    fallback: "push_reports",
  }),
  retentionMonths: integerOption({
    name: "RETENTION_MONTHS",
    about:
      "How long reports, ledger and dead letters are kept, by time of receipt. Migrations apply a changed value.",
    unit: "months",
    min: 1,
    // A TTL beyond 2106, where DateTime ends, wraps around and would delete every row at once.
    max: 600,
    fallback: 13,
  }),
  deduplicationWindow: integerOption({
    name: "DEDUPLICATION_WINDOW",
    about:
      "Inserts that each table remembers, to drop a repeated one. At least ten times the inserts that all consumers make " +
      "within INSERT_TIMEOUT_MS.",
    unit: "inserts",
    min: 1_000,
    max: 1_000_000,
    fallback: 20_000,
  }),
} as const;

/** How the ClickHouse server is reached. */
export const CLICKHOUSE_OPTIONS = {
  url: urlOption({
    name: "CLICKHOUSE_URL",
    about:
      "HTTP interface of ClickHouse. Not one behind a load balancer that spreads a consumer's inserts over shards.",
  }),
  user: textOption({
    name: "CLICKHOUSE_USER",
    about: "User with the right to insert and select.",
    form: "text",
    fallback: "default",
  }),
  password: secretOption({
    name: "CLICKHOUSE_PASSWORD",
    about: "Password of the user.",
    fallback: "",
  }),
  caFile: optional(
    textOption({
      name: "CLICKHOUSE_CA_FILE",
      about: "Certificate authorities to trust for https.",
      form: "path of a PEM file",
    }),
  ),
} as const;

/** Values of {@link TABLE_OPTIONS}. */
export type TableConfig = ConfigOf<typeof TABLE_OPTIONS>;
/** Values of {@link CLICKHOUSE_OPTIONS}. */
export type ClickHouseConfig = ConfigOf<typeof CLICKHOUSE_OPTIONS>;
