import { type ClickHouseClient, ClickHouseLogLevel, createClient } from "@clickhouse/client";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { migrate, readMigrations, SQL_FOLDER } from "@push-reports/consumer";
import { createLogger, readConfigGroups } from "@push-reports/service-kit";
import {
  type ClickHouseEndpoint,
  createTopic,
  describeWithContainers,
  freePort,
  type KafkaEndpoint,
  sharedClickHouse,
  sharedKafka,
  uniqueName,
} from "@push-reports/test-support";
import { DOCTOR_OPTION_GROUPS } from "../../src/config.js";
import { examine } from "../../src/doctor.js";

const logger = createLogger({ service: "test", level: "silent" });
const WEEK_MS = String(7 * 24 * 3_600_000);

describeWithContainers("doctor", ["kafka", "clickhouse"], () => {
  let kafka: KafkaEndpoint;
  let server: ClickHouseEndpoint;
  let client: ClickHouseClient;
  let environment: Record<string, string>;

  beforeAll(async () => {
    [kafka, server] = await Promise.all([sharedKafka(), sharedClickHouse()]);
    client = createClient({
      url: server.url,
      username: server.user,
      password: server.password,
      log: { level: ClickHouseLogLevel.OFF },
    });
    const config = { "retention.ms": WEEK_MS, "unclean.leader.election.enable": "false" };
    environment = {
      EXPECTED_REPLICATION: "1",
      KAFKA_BROKERS: kafka.brokers.join(","),
      KAFKA_TOPIC: await createTopic(kafka, { partitions: 4, config }),
      KAFKA_DEAD_LETTER_TOPIC: await createTopic(kafka, { config }),
      KAFKA_GROUP_ID: uniqueName("group"),
      CLICKHOUSE_URL: server.url,
      CLICKHOUSE_USER: server.user,
      CLICKHOUSE_PASSWORD: server.password,
      CLICKHOUSE_DATABASE: await migrated(),
    };
  });
  afterAll(() => client?.close());

  /** A database with all tables. */
  async function migrated(): Promise<string> {
    const database = uniqueName("doctor").replace(/\W/g, "_");
    const values = { database, retentionMonths: 13, deduplicationWindow: 20_000 };
    await migrate(client, readMigrations(SQL_FOLDER), values, logger);
    return database;
  }

  /** What is not well, by the checks' names. */
  async function troubles(changes: Record<string, string> = {}): Promise<readonly string[]> {
    const read = { ...environment, ...changes };
    const config = readConfigGroups(DOCTOR_OPTION_GROUPS, read, () => "");
    const findings = await examine(config, logger);
    expect(findings.length).toBeGreaterThan(5);
    return findings
      .filter(({ status }) => status === "failed")
      .map(({ check }) => check.replace(read["KAFKA_TOPIC"] ?? "", "T"));
  }

  it("finds nothing wrong with a deployment as it should be", async () => {
    expect(await troubles()).toEqual([]);
  });

  it("finds one replica where three are expected", async () => {
    const found = await troubles({ EXPECTED_REPLICATION: "3" });
    expect(found).toContain("topic T: replication");
    expect(found).toContain("topic T: min.insync.replicas");
    expect(found).toContain("topic __consumer_offsets: replication");
  });

  it("finds a retention of an hour", async () => {
    const config = { "retention.ms": "3600000", "unclean.leader.election.enable": "false" };
    const KAFKA_TOPIC = await createTopic(kafka, { config });
    expect(await troubles({ KAFKA_TOPIC })).toEqual(["topic T: retention.ms"]);
  });

  it("finds fewer partitions than consumers", async () => {
    expect(await troubles({ EXPECTED_CONSUMERS: "5" })).toEqual(["topic T: partitions"]);
  });

  it("finds a topic that does not exist, and makes none", async () => {
    const KAFKA_TOPIC = uniqueName("absent");
    expect(await troubles({ KAFKA_TOPIC })).toEqual(["topic T"]);
    expect(await troubles({ KAFKA_TOPIC })).toEqual(["topic T"]);
  });

  it("finds a missing table", async () => {
    const CLICKHOUSE_DATABASE = await migrated();
    await client.command({ query: `DROP TABLE ${CLICKHOUSE_DATABASE}.dead_letters` });
    expect(await troubles({ CLICKHOUSE_DATABASE })).toEqual(
      expect.arrayContaining(["ClickHouse: tables", "ClickHouse: insert rights"]),
    );
  });

  it("finds a deduplication window of 0", async () => {
    const CLICKHOUSE_DATABASE = await migrated();
    await client.command({
      query: `ALTER TABLE ${CLICKHOUSE_DATABASE}.ledger MODIFY SETTING non_replicated_deduplication_window = 0`,
    });
    expect(await troubles({ CLICKHOUSE_DATABASE })).toEqual(["ClickHouse: deduplication windows"]);
  });

  it("finds tables that were never migrated", async () => {
    const found = await troubles({ CLICKHOUSE_DATABASE: uniqueName("none").replace(/\W/g, "_") });
    expect(found).toContain("ClickHouse: answers");
  });

  it("finds a wrong password", async () => {
    expect(await troubles({ CLICKHOUSE_PASSWORD: "wrong" })).toEqual([
      "ClickHouse: authentication",
    ]);
  });
});

describe("doctor without services", () => {
  it("says that neither can be reached", async () => {
    const nowhere = `127.0.0.1:${await freePort()}`;
    const environment = { KAFKA_BROKERS: nowhere, CLICKHOUSE_URL: `http://${nowhere}` };
    const config = readConfigGroups(DOCTOR_OPTION_GROUPS, environment, () => "");
    const findings = await examine(config, logger);
    const found = findings.filter(({ status }) => status === "failed");
    expect(found.map(({ check }) => check)).toEqual(["Kafka: reachable", "ClickHouse: reachable"]);
    for (const { fix } of found) expect(fix).not.toBe("");
  });
});
