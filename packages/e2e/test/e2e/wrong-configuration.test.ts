import { describe, expect, it } from "@jest/globals";
import { type Program, ServiceProcess } from "../support/service-process.js";

/** A program, an environment that it cannot use, and the variables that its complaint must name. */
const CASES: readonly [Program, Readonly<Record<string, string>>, readonly string[]][] = [
  [
    "gateway",
    { KAFKA_BROKERS: "", HTTP_PORT: "eighty", KAFKA_SSL: "maybe" },
    ["KAFKA_BROKERS", "HTTP_PORT", "KAFKA_SSL"],
  ],
  [
    "consumer",
    { KAFKA_BROKERS: "kafka", OPERATIONS_PORT: "-1", CLICKHOUSE_URL: "clickhouse:8123" },
    ["KAFKA_BROKERS", "OPERATIONS_PORT", "CLICKHOUSE_URL"],
  ],
  [
    "consumer",
    { KAFKA_BROKERS: "kafka", CLICKHOUSE_URL: "http://clickhouse:8123/?foo=1" },
    ["KAFKA_BROKERS", "CLICKHOUSE_URL"],
  ],
  [
    "migrate",
    { RETENTION_MONTHS: "0", CLICKHOUSE_DATABASE: "a-b" },
    ["CLICKHOUSE_URL", "RETENTION_MONTHS", "CLICKHOUSE_DATABASE"],
  ],
  [
    "consumer",
    {
      KAFKA_BROKERS: "kafka:9092",
      KAFKA_SOURCE: "a.1",
      KAFKA_SSL: "true",
      KAFKA_SSL_CA_FILE: "/nowhere/ca.pem",
      KAFKA_SSL_KEY_FILE: "/dev/null",
      CLICKHOUSE_URL: "https://clickhouse:8443",
      CLICKHOUSE_CA_FILE: "/nowhere/ca.pem",
    },
    ["KAFKA_SSL_CA_FILE", "KAFKA_SSL_KEY_FILE", "CLICKHOUSE_CA_FILE"],
  ],
  [
    "gateway",
    { KAFKA_BROKERS: "kafka:9092", KAFKA_SASL_MECHANISM: "plain" },
    ["KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD"],
  ],
  [
    "gateway",
    { KAFKA_BROKERS: "kafka:99999", SHUTDOWN_DELAY_MS: "300000" },
    ["KAFKA_BROKERS", "SHUTDOWN_DELAY_MS"],
  ],
  [
    "consumer",
    {
      KAFKA_BROKERS: "kafka:9092",
      KAFKA_SOURCE: "a.1",
      KAFKA_SESSION_TIMEOUT_MS: "1000",
      KAFKA_HEARTBEAT_INTERVAL_MS: "900",
      CLICKHOUSE_URL: "http://clickhouse:8123",
      INSERT_TIMEOUT_MS: "100000",
    },
    ["KAFKA_HEARTBEAT_INTERVAL_MS", "INSERT_TIMEOUT_MS"],
  ],
  [
    "gateway",
    {
      KAFKA_BROKERS: "kafka:9092",
      HTTP_PORT: "8081",
      SHUTDOWN_TIMEOUT_MS: "7000",
      LANES: "9",
    },
    ["HTTP_PORT and OPERATIONS_PORT", "SHUTDOWN_TIMEOUT_MS (7000) must be at least 9000", "LANES"],
  ],
  [
    "standalone",
    {
      HTTP_PORT: "8123",
      OPERATIONS_PORT: "9000",
      INSIGHTS_PORT: "9000",
      SHUTDOWN_TIMEOUT_MS: "7000",
      MAX_BODY_BYTES: "0",
    },
    [
      "HTTP_PORT and SQL_PORT",
      "OPERATIONS_PORT and INSIGHTS_PORT",
      "SHUTDOWN_TIMEOUT_MS (7000) must be at least 9000",
      "MAX_BODY_BYTES",
    ],
  ],
  ["standalone", { HTTP_PORT: "65536", OPERATIONS_PORT: "http" }, ["HTTP_PORT", "OPERATIONS_PORT"]],
];

describe("A configuration that cannot be used", () => {
  it.each(CASES)("ends %s at once, with every fault named", async (program, environment, names) => {
    const { code, stderr } = await new ServiceProcess(program, environment).ended;

    expect(code).toBe(1);
    for (const name of names) expect(stderr).toContain(name);
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});
