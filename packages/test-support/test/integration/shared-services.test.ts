import { expect, it } from "@jest/globals";
import {
  askClickHouse,
  createTopic,
  describeWithContainers,
  readTopic,
  sharedClickHouse,
  sharedKafka,
  startClickHouse,
  waitFor,
} from "@push-reports/test-support";

describeWithContainers("The shared Kafka", ["kafka"], () => {
  it("is one and the same for whoever asks", async () => {
    const [first, second] = await Promise.all([sharedKafka(), sharedKafka()]);

    expect(second).toEqual(first);
    expect(await readTopic(first.brokers, await createTopic(first))).toEqual([]);
  });
});

describeWithContainers("The shared ClickHouse", ["clickhouse"], () => {
  it("answers a query of its user", async () => {
    const endpoint = await sharedClickHouse();

    const answer = await askClickHouse(endpoint, "SELECT currentDatabase() FORMAT TSV");

    expect(answer.trim()).toBe(endpoint.database);
  });
});

describeWithContainers("A ClickHouse of a test's own", ["docker"], () => {
  it("has its data and its port back after a kill", async () => {
    const server = await startClickHouse();
    const query = (sql: string) => askClickHouse(server, sql);
    try {
      await query(
        "CREATE TABLE t (a Int32) ENGINE = MergeTree ORDER BY a SETTINGS fsync_after_insert = 1",
      );
      await query("INSERT INTO t VALUES (7)");
      await server.kill();
      await server.restart();
      const rows = await waitFor(() => query("SELECT a FROM t FORMAT TSV"), { what: "the row" });
      expect(rows.trim()).toBe("7");
    } finally {
      await server.stop();
    }
  });
});
