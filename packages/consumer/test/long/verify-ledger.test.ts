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

describeWithContainers("the ledger against the log", ["kafka", "clickhouse"], () => {
  let pipeline: Pipeline;

  beforeEach(async () => {
    pipeline = await Pipeline.create((await sharedKafka()).brokers, await sharedClickHouse(), 3);
  });
  afterEach(async () => pipeline.close());

  const long = new Date("2026-01-02T03:04:05.678Z");
  const records = (count: number, receivedAt = new Date()) =>
    Array.from({ length: count }, () => encodeReport(aReceivedReport({ receivedAt })));
  const consumeAll = async (offsets: number) => {
    const consumer = pipeline.start({ MAX_RANGE_ROWS: "100" });
    await pipeline.untilLedgered(offsets, consumer.log);
    await pipeline.stop(consumer);
  };
  const setGroupTo = (offset: number) =>
    pipeline.admin.setOffsets({
      groupId: pipeline.name,
      topic: pipeline.topic,
      partitions: [{ partition: 0, offset: String(offset) }],
    });
  const removeFromLogBefore = async (offset: number) => {
    const { topic, admin } = pipeline;
    // kafkajs deletes only from a topic whose offsets it was asked for.
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: `${offset}` }] });
  };
  /** As if the tables had been made before their oldest rows could expire. */
  const ageDeployment = () =>
    pipeline.alter("schema_migrations UPDATE applied_at = applied_at - INTERVAL 2 YEAR WHERE true");
  const verify = async () => {
    const { code, stdout } = await pipeline.command("verify", "--json");
    const { discrepancies } = JSON.parse(stdout) as {
      readonly discrepancies: readonly { kind: string; first: number; last: number }[];
    };
    return { code, found: discrepancies.map(({ kind, first, last }) => [kind, first, last]) };
  };
  const gaps = () => pipeline.select("SELECT first, last, offsets FROM ingest_gaps ORDER BY first");

  it("names a gap when the first, a middle or the last row of a partition is gone", async () => {
    for (const partition of [0, 1, 2]) await pipeline.produce(partition, records(300, long));
    await consumeAll(900);
    expect(await verify()).toEqual({ code: 0, found: [] });

    await pipeline.alter("ledger DELETE WHERE first = 100 * partition");

    const { code, found } = await verify();
    expect(code).toBe(1);
    expect(new Set(found)).toEqual(
      new Set([
        ["gap", 0, 99],
        ["gap", 100, 199],
        ["gap", 200, 299],
      ]),
    );
    // Behind the last range the ledger alone cannot know of anything.
    expect(await gaps()).toEqual([
      { first: 0, last: 99, offsets: 100 },
      { first: 100, last: 199, offsets: 100 },
    ]);
  });

  it("names a gap when the group was set past records before its first range", async () => {
    await pipeline.produce(0, records(100, long));
    await setGroupTo(50);
    const skipped = { code: 1, found: [["gap", 0, 49]] };
    expect(await verify()).toEqual(skipped);

    await consumeAll(50);

    expect(await verify()).toEqual(skipped);
    expect(await gaps()).toEqual([{ first: 0, last: 49, offsets: 50 }]);
  });

  it("names no gap where the group was set past what the log did not hold", async () => {
    await pipeline.produce(0, records(100));
    await removeFromLogBefore(50);
    await setGroupTo(50);
    expect(await verify()).toEqual({ code: 0, found: [] });
    await consumeAll(50);
    expect(await verify()).toEqual({ code: 0, found: [] });
  });

  it("names a gap whose range before is older than what is looked at", async () => {
    await pipeline.produce(0, records(20));
    await consumeAll(20);
    await pipeline.alter(
      "ledger UPDATE completed_at = completed_at - INTERVAL 8 DAY, cut_at = cut_at - INTERVAL 8 DAY WHERE true",
    );
    await setGroupTo(30);
    await pipeline.produce(0, records(20));
    await consumeAll(30);

    expect(await verify()).toEqual({ code: 1, found: [["gap", 20, 29]] });
  });

  it("takes the beginning of an old ledger for expired, unless what the log or the tables hold is too young for that", async () => {
    await ageDeployment();
    await pipeline.produce(0, records(100, long));
    await consumeAll(100);
    await pipeline.produce(0, records(300));
    await consumeAll(400);

    await pipeline.alter("ledger DELETE WHERE first < 100");
    expect(await verify()).toEqual({ code: 0, found: [] });
    expect(await gaps()).toEqual([]);

    // The log still has what was taken a moment ago.
    await pipeline.alter("ledger DELETE WHERE first < 300");
    expect(await verify()).toEqual({ code: 1, found: [["gap", 100, 299]] });
    // Then only the rows tell.
    await removeFromLogBefore(390);
    expect(await verify()).toEqual({ code: 1, found: [["gap", 100, 299]] });
    await pipeline.alter("reports DELETE WHERE offset BETWEEN 100 AND 149");
    expect(await verify()).toEqual({ code: 1, found: [["gap", 150, 299]] });
  });

  it("names a gap of which only dead letters tell", async () => {
    await ageDeployment();
    await pipeline.produce(0, [{ value: null, timestampMs: long.getTime() }]);
    await consumeAll(1);
    await pipeline.produce(0, records(10, long));
    await consumeAll(11);
    await pipeline.alter("ledger DELETE WHERE first = 0");
    expect(await verify()).toEqual({ code: 1, found: [["gap", 0, 0]] });
  });

  it("names offsets that more than one range covers", async () => {
    const { database, clickHouse, name } = pipeline;
    await pipeline.produce(0, records(300));
    await consumeAll(300);
    await clickHouse.command({
      query: `INSERT INTO ${database}.ledger (source, partition, first, last, rows, set_aside, repeated, absent, name, cut_at, received_from)
              SELECT source, partition, 150, 249, 100, 0, 0, 0, '${name}', cut_at, received_from FROM ${database}.ledger WHERE first = 0`,
    });
    expect(
      await pipeline.select(
        `SELECT first, last, name = '${name}' AS is_second FROM ingest_overlaps ORDER BY first`,
      ),
    ).toEqual([
      { first: 150, last: 199, is_second: 1 },
      { first: 200, last: 249, is_second: 0 },
    ]);
    const { code, found } = await verify();
    expect(code).toBe(1);
    expect(found.filter(([kind]) => kind === "overlap")).toEqual([
      ["overlap", 150, 199],
      ["overlap", 200, 249],
    ]);
  });

  it("names a log that ends before what was read, as after the topic was made again", async () => {
    const { admin, topic } = pipeline;
    await pipeline.produce(0, records(10));
    await consumeAll(10);
    await admin.deleteTopics({ topics: [topic] });
    // The name is free again only when the deletion has reached every broker, and a topic may be made without an answer that says so.
    await waitFor(
      async () => {
        await admin.createTopics({ topics: [{ topic, numPartitions: 1 }] });
        return (await admin.fetchTopicOffsets(topic))[0]?.high === "0";
      },
      { what: "the topic to be made again", timeoutMs: 30_000 },
    );
    expect(await verify()).toEqual({ code: 1, found: [["log_ends_early", 0, 9]] });
  });
});
