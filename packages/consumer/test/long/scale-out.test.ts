import { setTimeout as delay } from "node:timers/promises";
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

const PARTITIONS = 12;
type Consumer = Awaited<ReturnType<Pipeline["launch"]>>;

describeWithContainers("several consumers of one group", ["kafka", "clickhouse"], () => {
  let pipeline: Pipeline;

  beforeEach(async () => {
    const { brokers } = await sharedKafka();
    pipeline = await Pipeline.create(brokers, await sharedClickHouse(), PARTITIONS);
  });
  afterEach(async () => pipeline.close());

  const records = (count: number) =>
    Array.from({ length: count }, () => encodeReport(aReceivedReport({ receivedAt: new Date() })));
  const launch = () =>
    pipeline.launch({
      KAFKA_SESSION_TIMEOUT_MS: "15000",
      KAFKA_REBALANCE_TIMEOUT_MS: "20000",
      KAFKA_HEARTBEAT_INTERVAL_MS: "1000",
      // Twelve partitions' ranges once a second would take all of a small machine's database.
      MAX_DELAY_MS: "3000",
    });
  const assigned = (consumers: readonly Consumer[]) =>
    Promise.all(consumers.map(async (one) => Number(await one.series("assigned_partitions"))));
  const untilShared = (consumers: readonly Consumer[]) =>
    waitFor(
      async () => {
        const counts = await assigned(consumers);
        const least = Math.floor(PARTITIONS / consumers.length);
        return (
          counts.reduce((sum, count) => sum + count, 0) === PARTITIONS &&
          Math.min(...counts) >= least
        );
      },
      {
        what: `${consumers.length} consumers to share the partitions`,
        timeoutMs: 60_000,
        intervalMs: 200,
      },
    );
  /** Sends records to every partition until it is stopped. */
  const load = () => {
    let isOver = false;
    let sent = 0;
    const sending = (async () => {
      while (!isOver) {
        for (let partition = 0; partition < PARTITIONS; partition += 1) {
          await pipeline.produce(partition, records(5));
          sent += 5;
        }
        await delay(250);
      }
    })();
    return {
      stop: async () => {
        isOver = true;
        await sending;
        return sent;
      },
    };
  };
  /** Longest time without any range becoming complete, ms. */
  const longestPauseMs = async () => {
    const [row] = await pipeline.select(
      `SELECT max(pause) AS pause FROM (
         SELECT toUnixTimestamp64Milli(completed_at) - lagInFrame(toUnixTimestamp64Milli(completed_at), 1, toUnixTimestamp64Milli(completed_at))
           OVER (ORDER BY completed_at ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS pause FROM ledger)`,
    );
    return Number(row?.["pause"]);
  };
  /** How old the oldest row of each range was when the range became complete after a time, ms: the median, 99 of 100, and the greatest. */
  const latenessMs = async (sinceMs: number) => {
    const [row] = await pipeline.select(
      `SELECT quantilesExact(0.5, 0.99, 1)(dateDiff('millisecond', received_from, completed_at)) AS late
       FROM ledger WHERE toUnixTimestamp64Milli(completed_at) >= ${sinceMs}`,
    );
    return ((row?.["late"] ?? []) as readonly number[]).map(Math.round);
  };

  it("share the work, and lose and double nothing when all of them are replaced one after the other under load", async () => {
    let consumers: Consumer[] = [await launch(), await launch()];
    await untilShared(consumers);
    const traffic = load();
    consumers.push(...(await Promise.all([launch(), launch(), launch(), launch()])));
    await untilShared(consumers);
    const begunAt = Date.now();
    for (const old of [...consumers]) {
      expect(await pipeline.stop(old)).toEqual({ code: 0, signal: null });
      consumers = [...consumers.filter((one) => one !== old), await launch()];
      await untilShared(consumers);
      const ranges = await pipeline.one("count()", "ledger");
      await waitFor(async () => (await pipeline.one("count()", "ledger")) > ranges, {
        what: "ingestion to go on after a replacement",
        timeoutMs: 15_000,
      });
    }
    const sent = await traffic.stop();
    await pipeline.untilLedgered(sent, () => consumers.map((one) => one.log()).join(""));

    const pauseMs = await longestPauseMs();
    const [median, most, greatest] = await latenessMs(begunAt);
    console.log(
      `scale-out: ${sent} records, ${consumers.length} consumers replaced one right after the other, longest pause of ingestion ${pauseMs} ms; ` +
        `rows were ${median} ms late (median), ${most} ms (99 %), ${greatest} ms (at most)`,
    );
    expect(await pipeline.rows()).toEqual(await pipeline.readable());
    expect(await pipeline.one("count()", "ingest_gaps")).toBe(0);
    expect(await pipeline.one("count()", "ingest_overlaps")).toBe(0);
    for (const one of consumers) {
      expect(await one.series("rebalances_total")).toBeGreaterThan(0);
      const text = await one.metrics();
      const owned = [...text.matchAll(/consumer_lag_records\{partition="\d+"\}/g)].length;
      expect(owned).toBeLessThanOrEqual(PARTITIONS / consumers.length + 1);
    }
  });

  it("are all well when they are more than the partitions", async () => {
    const small = await Pipeline.create((await sharedKafka()).brokers, await sharedClickHouse(), 1);
    try {
      const consumers = [await small.launch(), await small.launch()];
      await waitFor(
        async () => {
          const health = await Promise.all(consumers.map((one) => one.health()));
          return health.every(({ status }) => status === 200);
        },
        { what: "both to be ready", timeoutMs: 60_000 },
      );
      const counts = await assigned(consumers);
      expect(counts.toSorted()).toEqual([0, 1]);
      for (const one of consumers) expect(await one.live()).toBe(200);
    } finally {
      await small.close();
    }
  });
});
