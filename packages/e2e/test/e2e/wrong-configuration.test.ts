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
    "migrate",
    { RETENTION_MONTHS: "0", CLICKHOUSE_DATABASE: "a-b" },
    ["CLICKHOUSE_URL", "RETENTION_MONTHS", "CLICKHOUSE_DATABASE"],
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
