import { afterEach, beforeEach, expect, it } from "@jest/globals";
import { encodeReport } from "@push-reports/report";
import {
  aReceivedReport,
  describeWithContainers,
  sharedClickHouse,
  sharedKafka,
  waitFor,
} from "@push-reports/test-support";
import { Pipeline } from "../support/pipeline.js";

const MARGIN_MS = 300;

describeWithContainers("freshness", ["kafka", "clickhouse"], () => {
  let pipeline: Pipeline;

  beforeEach(async () => {
    pipeline = await Pipeline.create((await sharedKafka()).brokers, await sharedClickHouse(), 3);
  });
  afterEach(async () => pipeline.close());

  /** A record received now, and when that is. */
  const produceNow = async (partition: number): Promise<number> => {
    const receivedAt = new Date();
    await pipeline.produce(partition, [encodeReport(aReceivedReport({ receivedAt }))]);
    return receivedAt.getTime();
  };
  /** Unix ms of the one figure; null while nothing can be said. */
  const completeTo = async (): Promise<number | null> => {
    const [row] = await pipeline.select(
      "SELECT toUnixTimestamp64Milli(complete_to) AS at FROM ingest_complete_to",
    );
    return row?.["at"] === null ? null : Number(row?.["at"]);
  };
  const launch = (settings: Readonly<Record<string, string>> = {}) =>
    pipeline.launch({
      FRESHNESS_INTERVAL_MS: "500",
      FRESHNESS_MARGIN_MS: String(MARGIN_MS),
      ...settings,
    });

  it("moves on with time over idle partitions, and past a record only once that can be queried", async () => {
    expect(await completeTo()).toBeNull();
    const before = await produceNow(0);
    const consumer = await launch();
    await waitFor(async () => Number(await completeTo()) > before, {
      what: "the figure to pass the first record",
      timeoutMs: 30_000,
    });
    expect(await pipeline.one("count()", "reports")).toBe(1);

    // Partition 1 can no longer be completed; nothing else is wrong.
    const { database, clickHouse } = pipeline;
    await clickHouse.command({ query: `RENAME TABLE ${database}.reports TO ${database}.away` });
    const stuck = await produceNow(1);
    await waitFor(async () => (await consumer.series('lag_records{partition="1"}')) === 1, {
      what: "the lag to be seen",
      timeoutMs: 30_000,
    });
    const looks = async () =>
      Number(
        (
          await pipeline.select(
            "SELECT toUnixTimestamp64Milli(max(observed_at)) AS at FROM ingest_freshness",
          )
        )[0]?.["at"],
      );
    await waitFor(async () => (await looks()) > stuck + 3_000, {
      what: "more looks at the log",
      timeoutMs: 30_000,
    });
    expect(Number(await completeTo())).toBeLessThanOrEqual(stuck);
    expect(await consumer.series('lag_seconds{partition="1"}')).toBeGreaterThan(2);
    expect(await consumer.series("since_progress_seconds")).toBeGreaterThan(0);
    const [others] = await pipeline.select(
      "SELECT toUnixTimestamp64Milli(min(complete_to)) AS at FROM ingest_freshness WHERE partition != 1",
    );
    expect(Number(others?.["at"])).toBeGreaterThan(stuck);

    await clickHouse.command({ query: `RENAME TABLE ${database}.away TO ${database}.reports` });
    await waitFor(async () => Number(await completeTo()) > stuck, {
      what: "the figure to pass the record that was stuck",
      timeoutMs: 30_000,
    });
    expect(await pipeline.one("count()", "reports")).toBe(2);
    await waitFor(async () => (await consumer.series('lag_records{partition="1"}')) === 0, {
      what: "the lag to be gone",
      timeoutMs: 30_000,
    });
    expect(await consumer.series("drain_eta_seconds")).toBe(0);
  });

  it("tells that a backlog does not shrink, then how long it takes, then that there is none", async () => {
    const { database, clickHouse } = pipeline;
    for (let part = 0; part < 3; part += 1)
      await pipeline.produce(
        0,
        Array.from({ length: 1_000 }, () =>
          encodeReport(aReceivedReport({ receivedAt: new Date() })),
        ),
      );
    await clickHouse.command({ query: `RENAME TABLE ${database}.reports TO ${database}.away` });
    const consumer = await launch({ MAX_RANGE_ROWS: "50" });
    const eta = async () =>
      /^push_reports_consumer_drain_eta_seconds (\S+)/m.exec(await consumer.metrics())?.[1];
    await waitFor(async () => (await eta()) === "+Inf", {
      what: "a backlog that does not shrink",
      timeoutMs: 30_000,
    });

    await clickHouse.command({ query: `RENAME TABLE ${database}.away TO ${database}.reports` });
    await waitFor(
      async () => {
        const seconds = Number(await eta());
        return Number.isFinite(seconds) && seconds > 0;
      },
      { what: "a time until nothing is left", timeoutMs: 60_000 },
    );
    expect(await pipeline.one("count()", "reports")).toBeGreaterThan(0);
    await waitFor(async () => (await eta()) === "0", {
      what: "nothing to be left",
      timeoutMs: 60_000,
    });
    expect(await pipeline.one("count()", "reports")).toBe(3_000);
  });

  it("claims nothing while a partition of the topic is not known, as after the topic got another", async () => {
    await launch();
    await waitFor(async () => (await completeTo()) !== null, {
      what: "a first figure",
      timeoutMs: 30_000,
    });
    await pipeline.admin.createPartitions({
      topicPartitions: [{ topic: pipeline.topic, count: 4 }],
    });
    await waitFor(async () => (await completeTo()) === null, {
      what: "the new partition to be noticed",
      timeoutMs: 30_000,
    });
  });
});
