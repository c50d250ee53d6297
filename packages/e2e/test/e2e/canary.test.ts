import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { CANARY_INSTANCE_ID } from "@push-reports/report";
import { describeWithContainers, freePort, waitFor } from "@push-reports/test-support";
import { Deployment } from "../support/deployment.js";
import { sampleOf, scrapeMetrics, valuesBy } from "../support/scrape-metrics.js";

/** As many as the deployment's topic has. */
const PARTITIONS = 4;
const SECRET = "a secret of the canary";

describeWithContainers("The canary, without any other traffic", ["kafka", "clickhouse"], () => {
  let deployment: Deployment;
  let metricsAt: string;

  beforeAll(async () => {
    deployment = await Deployment.create(undefined, { CANARY_SECRET: SECRET });
    await deployment.start("gateway", {
      environment: { INSTANCE_IDS: "426abfc7-41fe-492f-bcf1-27586fa9bd3f" },
    });
    const port = await freePort();
    metricsAt = `http://127.0.0.1:${port}/metrics`;
    await deployment.start("canary", {
      environment: {
        OPERATIONS_PORT: String(port),
        CANARY_URL: deployment.url,
        CANARY_REPORTS: String(PARTITIONS),
        CANARY_INTERVAL_SECONDS: "3",
      },
    });
  });
  afterAll(() => deployment?.dispose());

  const series = async (name: string) =>
    sampleOf(await scrapeMetrics(metricsAt), `push_reports_canary_${name}`);
  const outcomes = async () =>
    valuesBy(await scrapeMetrics(metricsAt), "push_reports_canary_reports_total", "outcome");
  const until = (what: string, condition: () => Promise<boolean>) =>
    waitFor(condition, { what, timeoutMs: 60_000, intervalMs: 200 });

  it("shows that nothing can be queried while no consumer runs, and calls nothing missing or refused", async () => {
    await until("a report that waits", async () => (await series("oldest_waiting_seconds")) > 4);

    expect(await series("waiting_reports")).toBeGreaterThanOrEqual(PARTITIONS);
    expect(await outcomes()).toEqual({ queryable: 0, missing: 0, refused: 0, unanswered: 0 });
  });

  it("measures the way through every partition once one does, in rows and ledger like any other's", async () => {
    await deployment.start("consumer");
    await until(
      "two rounds",
      async () => (await series("queryable_seconds_count")) >= 2 * PARTITIONS,
    );
    await until("a fresh one", async () => (await series("oldest_waiting_seconds")) < 3);

    expect(await series("partitions")).toBe(PARTITIONS);
    expect(await series("answer_seconds_count")).toBeGreaterThanOrEqual(2 * PARTITIONS);
    const [rows] = await deployment.rows<{ mine: string; others: string }>(
      `SELECT countIf(instance_id = '${CANARY_INSTANCE_ID}') AS mine, count() - mine AS others FROM reports`,
    );
    expect(Number(rows?.mine)).toBeGreaterThanOrEqual(2 * PARTITIONS);
    expect(Number(rows?.others)).toBe(0);
    const [ledger] = await deployment.rows<{ rows: string }>(
      "SELECT sum(rows) AS rows FROM ledger",
    );
    expect(Number(ledger?.rows)).toBeGreaterThanOrEqual(2 * PARTITIONS);
    const analysts = await deployment.rows("SELECT * FROM customer_reports");
    expect(analysts).toEqual([]);
  });
});
