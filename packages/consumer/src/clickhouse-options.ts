import {
  type ConfigOf,
  certificatesOption,
  integerOption,
  optional,
  originOption,
  patternOption,
  secretOption,
  textOption,
  withContradictions,
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

const OPTIONS = {
  url: originOption({
    name: "CLICKHOUSE_URL",
    about:
      "HTTP interface of ClickHouse. User, password and database have variables of their own. Not one behind a load balancer that spreads a consumer's inserts over shards.",
  }),
  user: textOption({
    name: "CLICKHOUSE_USER",
    about:
      "User with the rights to select and insert; for migrate also to create databases, tables and views and to alter tables, for erase to " +
      "alter tables. SECURITY.md lists the statements.",
    form: "text",
    fallback: "default",
  }),
  password: secretOption({
    name: "CLICKHOUSE_PASSWORD",
    about: "Password of the user.",
    fallback: "",
  }),
  cluster: optional(
    patternOption({
      name: "CLICKHOUSE_CLUSTER",
      about:
        "Cluster of one shard and several replicas that has the tables, as system.clusters names it: migrations make replicated tables, and " +
        "inserts wait for a majority of the replicas. Without it, one server has plain tables.",
      form: "name (letters, digits, _ -)",
      pattern: /^[A-Za-z0-9_-]{1,100}$/,
    }),
  ),
  ca: optional(
    certificatesOption({
      name: "CLICKHOUSE_CA_FILE",
      about: "Certificate authorities to trust for https, instead of those of the system.",
    }),
  ),
} as const;

/** How the ClickHouse server is reached. */
export const CLICKHOUSE_OPTIONS = withContradictions(OPTIONS, ({ ca, url }) =>
  typeof ca === "string" && url !== undefined && !url.startsWith("https:")
    ? ["CLICKHOUSE_CA_FILE needs a CLICKHOUSE_URL that begins with https:"]
    : [],
);

/** Values of {@link TABLE_OPTIONS}. */
export type TableConfig = ConfigOf<typeof TABLE_OPTIONS>;
/** Values of {@link CLICKHOUSE_OPTIONS}. */
export type ClickHouseConfig = ConfigOf<typeof CLICKHOUSE_OPTIONS>;

/**
 * What statements need on top where an acknowledged insert must be on a majority of replicas, and reads must see all of those. What the database
 * is at is asked of all replicas; one that does not answer fails the question, since it may be at something.
 */
export function clusterSettings({ cluster }: Pick<ClickHouseConfig, "cluster">) {
  return cluster === null
    ? { insertSettings: [], readSettings: [], processes: "system.processes" }
    : {
        // Reads can be sequential only where quorum inserts are one after the other.
        insertSettings: ["insert_quorum = 'auto'", "insert_quorum_parallel = 0"],
        readSettings: ["select_sequential_consistency = 1"],
        processes: `clusterAllReplicas('${cluster}', system.processes)`,
      };
}
