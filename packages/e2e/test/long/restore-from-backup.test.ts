import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { describeWithContainers, sendReports } from "@push-reports/test-support";
import { Kafka, logLevel } from "kafkajs";
import { Deployment } from "../support/deployment.js";
import { expectExactlyOnce, expectRowsOnce } from "../support/exactly-once.js";

const REPORTS = 2_000;
const CONNECTIONS = 16;

describeWithContainers("docs/upgrade.md's restore of a backup", ["kafka", "clickhouse"], () => {
  let deployment: Deployment;
  const setting = (name: string) => deployment.settings[name] ?? "";
  const select = <T>(sql: string) => deployment.rows<T>(sql);
  const load = () => sendReports({ url: deployment.url, count: REPORTS, connections: CONNECTIONS });

  beforeAll(async () => {
    deployment = await Deployment.create();
    await deployment.start("gateway");
  });
  afterAll(() => deployment.dispose());

  it("gives every report back as exactly one row: those of the backup, and those that are on Kafka only", async () => {
    const database = setting("CLICKHOUSE_DATABASE");
    const run = sessionOn(
      setting("CLICKHOUSE_URL"),
      setting("CLICKHOUSE_USER"),
      setting("CLICKHOUSE_PASSWORD"),
    );

    const before = await deployment.start("consumer");
    const backedUp = await load();
    await expectExactlyOnce(backedUp, select);
    await before.end("SIGTERM");
    await run(`BACKUP DATABASE ${database} TO Memory('${database}')`);

    const after = await deployment.start("consumer");
    const onKafkaOnly = await load();
    await expectExactlyOnce(onKafkaOnly, select);
    await after.end("SIGTERM");

    await run(`DROP DATABASE ${database} SYNC`);
    await run(`RESTORE DATABASE ${database} FROM Memory('${database}')`);
    expect(await expectRowsOnce(backedUp, select)).toBeGreaterThan(0);
    await setGroupToLedgersEnd();
    await deployment.start("consumer");

    expect(await expectExactlyOnce(onKafkaOnly, select)).toBeGreaterThan(0);
    expect(await expectExactlyOnce(backedUp, select)).toBeGreaterThan(0);
    const [summary] = await select<{ devices: string }>(
      "SELECT toString(count()) AS devices FROM notifications FINAL",
    );
    expect(Number(summary?.devices)).toBe(2 * REPORTS);
  });

  async function setGroupToLedgersEnd(): Promise<void> {
    const ends = await select<{ partition: number; offset: string }>(
      "SELECT partition, toString(max(last) + 1) AS offset FROM ledger GROUP BY partition",
    );
    const admin = new Kafka({
      brokers: setting("KAFKA_BROKERS").split(","),
      logLevel: logLevel.NOTHING,
    }).admin();
    await admin.connect();
    await admin.setOffsets({
      groupId: setting("KAFKA_GROUP_ID"),
      topic: setting("KAFKA_TOPIC"),
      partitions: [...ends],
    });
    await admin.disconnect();
  }
});

/** Statements of one session, which a backup in the server's memory lives as long as. */
function sessionOn(url: string, user: string, password: string) {
  const session = randomUUID();
  return async (sql: string): Promise<void> => {
    const answer = await fetch(`${url}/?session_id=${session}&session_timeout=600`, {
      method: "POST",
      headers: { "x-clickhouse-user": user, "x-clickhouse-key": password },
      body: sql,
    });
    if (!answer.ok) throw new Error(await answer.text());
  };
}
