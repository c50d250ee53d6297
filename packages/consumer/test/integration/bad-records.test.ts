import { afterEach, beforeEach, expect, it } from "@jest/globals";
import { encodeReport } from "@push-reports/report";
import {
  aReceivedReport,
  describeWithContainers,
  readTopic,
  sharedClickHouse,
  sharedKafka,
  waitFor,
} from "@push-reports/test-support";
import { Pipeline } from "../support/pipeline.js";

const NO_UUID = "00000000-0000-0000-0000-000000000000";

describeWithContainers("bad records", ["kafka", "clickhouse"], () => {
  let pipeline: Pipeline;
  let brokers: readonly string[];

  beforeEach(async () => {
    brokers = (await sharedKafka()).brokers;
    pipeline = await Pipeline.create(brokers, await sharedClickHouse(), 1);
  });
  afterEach(async () => pipeline.close());

  const good = () => encodeReport(aReceivedReport());
  /** The contract takes it, a check of the table does not: only the database can find it. */
  const refused = () => encodeReport(aReceivedReport({ instanceId: NO_UUID }));
  const unreadable = () => ({ ...good(), value: Buffer.from('{"report_id":"cut sho') });
  const many = (count: number, record: (index: number) => ReturnType<typeof good>) =>
    Array.from({ length: count }, (_, index) => record(index));
  const produce = async (records: readonly ReturnType<typeof good>[]) => {
    for (let at = 0; at < records.length; at += 1_500)
      await pipeline.produce(0, records.slice(at, at + 1_500));
  };
  /** Takes records until a whole range is there. */
  const patiently = { MAX_DELAY_MS: "3000", MAX_RANGE_ROWS: "100000" };

  it("costs a handful of probes when one of 50,000 is refused by the database, and never the range", async () => {
    await produce(many(50_000, (index) => (index === 31_415 ? refused() : good())));
    const consumer = await pipeline.launch(patiently);
    await pipeline.untilLedgered(50_000, consumer.log);

    expect(await pipeline.one("count()", "reports")).toBe(49_999);
    expect(await pipeline.one("uniqExact(offset)", "reports")).toBe(49_999);
    expect(await pipeline.one("max(offset = 31415)", "reports")).toBe(0);
    const ranges = (await pipeline.one("count()", "ledger")) as number;
    // The control line, the whole, the row that the database names, and the rest without it; anew only for an insert that failed by
    // chance, or an epoch that ended, on a busy machine.
    const failed = 'write_retries_total{operation="insert",failure="passes_with_time"}';
    const searches =
      consumer.events("partition_started").length + ((await consumer.series(failed)) ?? 0);
    const probes = await consumer.series("probes_total");
    expect(probes).toBeGreaterThanOrEqual(4);
    expect(probes).toBeLessThanOrEqual(4 * searches);
    expect(ranges).toBeLessThan(5);

    const [letter] = await pipeline.select("SELECT * FROM dead_letters FINAL");
    expect(letter).toMatchObject({
      source: pipeline.source,
      partition: 0,
      offset: 31_415,
      reason: "refused",
      clickhouse_code: 469,
      detail: "ClickHouse refuses it with code 469",
      headers_base64: { v: Buffer.from("1").toString("base64") },
    });
    const [record] = (await readTopic(brokers, pipeline.topic)).filter(
      ({ offset }) => offset === 31_415,
    );
    expect(letter?.["value_base64"]).toBe(record?.value?.toString("base64"));
    expect(letter?.["key_base64"]).toBe(record?.key?.toString("base64"));
    expect(Date.parse(`${letter?.["set_aside_at"]}Z`)).toBeGreaterThan(Date.now() - 600_000);
    const [onTopic] = await readTopic(brokers, pipeline.deadLetterTopic);
    expect(onTopic?.value?.equals(record?.value ?? Buffer.alloc(0))).toBe(true);
    expect(onTopic?.headers).toMatchObject({
      "dead-letter-reason": Buffer.from("refused"),
      "dead-letter-clickhouse-code": Buffer.from("469"),
      "dead-letter-source": Buffer.from(pipeline.source),
      "dead-letter-partition": Buffer.from("0"),
      "dead-letter-offset": Buffer.from("31415"),
    });
    expect(await consumer.series('dead_letters_total{reason="refused"}')).toBe(1);
  });

  it("sets aside one in twenty, whoever refuses them, and inserts all others", async () => {
    await produce(
      many(4_000, (index) =>
        index % 20 !== 7 ? good() : index % 40 === 7 ? refused() : unreadable(),
      ),
    );
    const consumer = await pipeline.launch(patiently);
    await pipeline.untilLedgered(4_000, consumer.log);

    expect(await pipeline.one("count()", "reports")).toBe(3_800);
    expect(await pipeline.one("uniqExact(offset)", "reports")).toBe(3_800);
    expect(await pipeline.one("countIf(offset % 20 = 7)", "reports")).toBe(0);
    expect(await pipeline.one("count()", "dead_letters FINAL")).toBe(200);
    expect(await pipeline.one("countIf(reason = 'refused')", "dead_letters FINAL")).toBe(100);
    expect(await pipeline.one("sum(set_aside)", "ledger")).toBe(200);
    const onTopic = await readTopic(brokers, pipeline.deadLetterTopic);
    expect(
      new Set(onTopic.map(({ headers }) => headers["dead-letter-offset"]?.toString())).size,
    ).toBe(200);
    expect(await consumer.health()).toEqual({ status: 200, reason: null });
  });

  /** Resolves once the consumer says that it takes nothing more. */
  const untilHeld = async (consumer: Awaited<ReturnType<Pipeline["launch"]>>) => {
    const isHeld = async () => (await consumer.series("too_many_bad_records")) === 1;
    await waitFor(isHeld, { what: "the consumer to hold", timeoutMs: 120_000 }).catch(
      (cause: unknown) => {
        throw new Error(`It did not. It wrote:\n${consumer.log()}`, { cause });
      },
    );
  };
  /** Of the table that is probed as well: its engine knows no constraints but those that it was made with. */
  const alterReports = async (change: string) => {
    const { clickHouse, database } = pipeline;
    for (const query of [
      `ALTER TABLE ${database}.reports ${change}`,
      `CREATE TABLE ${database}.next_probe AS ${database}.reports ENGINE = Null`,
      `EXCHANGE TABLES ${database}.next_probe AND ${database}.probe`,
      `DROP TABLE ${database}.next_probe`,
    ])
      await clickHouse.command({ query });
  };
  const setAside = async () => await pipeline.one("count()", "dead_letters FINAL");

  it("holds a range that is longer than the window and refused as a whole, sets nothing of it aside, and goes on when the table is mended", async () => {
    await produce(many(6_000, good));
    await alterReports("ADD CONSTRAINT only_control CHECK publish_id = 'pubid-control'");
    const consumer = await pipeline.launch({ ...patiently, BAD_WINDOW_RECORDS: "1000" });
    await untilHeld(consumer);
    expect(consumer.events("too_many_bad_records")[0]).toMatchObject({
      limit: 200,
      name: expect.stringContaining("/0-5999/"),
    });
    expect(await setAside()).toBe(0);
    await alterReports("DROP CONSTRAINT only_control");
    await pipeline.untilLedgered(6_000, consumer.log, 90_000);
    expect(await pipeline.rows()).toEqual(await pipeline.readable());
    expect(await setAside()).toBe(0);
    expect(consumer.events("bad_records_admitted")).toHaveLength(1);
  });

  it("sets no more aside with every start, whichever process has the partition, and does not say at its end that it did", async () => {
    await produce([...many(300, good), ...many(1_000, unreadable)]);
    const environment = { MAX_RANGE_ROWS: "50", BAD_WINDOW_RECORDS: "1000" };
    const lives: [number, number][] = [];
    for (let life = 0; life < 3; life += 1) {
      const consumer = await pipeline.launch(environment);
      await untilHeld(consumer);
      expect(await pipeline.stop(consumer)).toMatchObject({ code: 0 });
      lives.push([await setAside(), consumer.events("bad_records_admitted").length]);
    }
    expect(lives).toEqual(Array(3).fill([200, 0]));
  });

  it("takes nothing more once too many are bad, says so, sets none of them aside, and goes on with a higher limit", async () => {
    await produce([...many(500, good), ...many(2_500, unreadable), ...many(500, good)]);
    const consumer = await pipeline.launch({ MAX_RANGE_ROWS: "500" });
    const held = await waitFor(
      async () => {
        const health = await consumer.health();
        return health.status === 503 && health.reason?.includes("too many records are bad")
          ? health
          : null;
      },
      { what: "the consumer to hold", timeoutMs: 60_000 },
    );
    expect(held.reason).toContain("partition 0");
    expect(await consumer.live()).toBe(200);
    await waitFor(async () => (await consumer.series("too_many_bad_records")) === 1, {
      what: "the metric to say so",
    });
    expect(consumer.events("too_many_bad_records")).toMatchObject([
      { level: "error", partition: 0, limit: 2_000, windowRecords: 10_000 },
    ]);
    // What was within the limit was set aside; of the range that went beyond it nothing was.
    expect(await pipeline.one("max(last) + 1", "ledger")).toBe(2_500);
    expect(await pipeline.one("count()", "dead_letters FINAL")).toBe(2_000);
    expect(await pipeline.one("count()", "reports")).toBe(500);
    expect(await pipeline.stop(consumer)).toMatchObject({ code: 0 });

    const patient = await pipeline.launch({ MAX_RANGE_ROWS: "300", MAX_BAD_PERCENT: "100" });
    await pipeline.untilLedgered(3_500, patient.log);
    expect(await pipeline.one("count()", "reports")).toBe(1_000);
    expect(await pipeline.one("count()", "dead_letters FINAL")).toBe(2_500);
    expect(await pipeline.one("sum(rows) - 1000 + sum(set_aside)", "ledger")).toBe(2_500);
    expect(await patient.health()).toEqual({ status: 200, reason: null });
  });
});
