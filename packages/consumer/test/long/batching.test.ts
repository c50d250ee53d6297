import { afterEach, beforeEach, expect, it } from "@jest/globals";
import { encodeReport } from "@push-reports/report";
import {
  aReceivedReport,
  type ClickHouseEndpoint,
  describeWithContainers,
  sharedClickHouse,
  sharedKafka,
  waitFor,
} from "@push-reports/test-support";
import { CompressionTypes, Partitioners } from "kafkajs";
import { ClickHouseProxy } from "../support/clickhouse-proxy.js";
import { Pipeline } from "../support/pipeline.js";

describeWithContainers("batching", ["kafka", "clickhouse"], () => {
  let brokers: readonly string[];
  let endpoint: ClickHouseEndpoint;
  let pipeline: Pipeline;

  beforeEach(async () => {
    brokers = (await sharedKafka()).brokers;
    endpoint = await sharedClickHouse();
  });
  afterEach(async () => pipeline.close());

  const records = (count: number, overrides: Parameters<typeof aReceivedReport>[0] = {}) =>
    Array.from({ length: count }, () => encodeReport(aReceivedReport(overrides)));
  const produce = async (partition: number, count: number) => {
    for (let made = 0; made < count; made += 1_500)
      await pipeline.produce(partition, records(Math.min(1_500, count - made)));
  };
  /** Series come after the ledger's row. */
  const untilSeries = (
    consumer: Awaited<ReturnType<Pipeline["launch"]>>,
    name: string,
    value: number,
  ) => waitFor(async () => (await consumer.series(name)) === value, { what: `${name} ${value}` });
  const ranges = () =>
    pipeline.select(
      "SELECT partition, first, last, rows, toUnixTimestamp64Milli(cut_at) AS cut_at FROM ledger ORDER BY cut_at",
    );

  it("makes inserts as large as the limit in rows allows while there is a backlog", async () => {
    pipeline = await Pipeline.create(brokers, endpoint, 1);
    await produce(0, 21_000);
    const consumer = await pipeline.launch({ MAX_RANGE_ROWS: "5000", MAX_DELAY_MS: "5000" });
    await pipeline.untilLedgered(21_000, consumer.log);
    expect((await ranges()).map(({ rows }) => rows)).toEqual([5_000, 5_000, 5_000, 5_000, 1_000]);
    await untilSeries(consumer, "rows_total", 21_000);
  });

  it("makes them so large over many partitions too, whose ranges would not all fit into memory at once", async () => {
    pipeline = await Pipeline.create(brokers, endpoint, 12);
    for (let partition = 0; partition < 12; partition += 1) await produce(partition, 10_000);
    const consumer = await pipeline.launch({
      MAX_RANGE_ROWS: "5000",
      MAX_RANGE_BYTES: String(4 * 1024 * 1024),
      MAX_BUFFERED_BYTES: String(16 * 1024 * 1024),
      BUFFER_LENT_PERCENT: "75",
      MAX_DELAY_MS: "5000",
    });
    await pipeline.untilLedgered(120_000, consumer.log);
    expect((await ranges()).map(({ rows }) => rows)).toEqual(Array(24).fill(5_000));
    await untilSeries(consumer, "buffered_bytes", 0);
    for (const activity of ["fetch", "turn", "insert"])
      expect(
        await consumer.series(`activity_seconds_total{activity="${activity}"}`),
      ).toBeGreaterThan(0);
  });

  it("makes no insert larger than the limit in bytes, whatever the size of the records", async () => {
    pipeline = await Pipeline.create(brokers, endpoint, 1);
    // Twelve times as long as usual; 400 of them are some 2 MiB.
    for (let sent = 0; sent < 400; sent += 100)
      await pipeline.produce(
        0,
        records(100, { userId: "\u0001".repeat(512), deviceId: "\u0001".repeat(256) }),
      );
    const consumer = await pipeline.launch({
      MAX_RANGE_BYTES: String(256 * 1024),
      MAX_BUFFERED_BYTES: String(1024 * 1024),
      MAX_DELAY_MS: "5000",
    });
    await pipeline.untilLedgered(400, consumer.log);
    const made = await ranges();
    expect(made.length).toBeGreaterThan(7);
    await untilSeries(consumer, 'range_bytes_bucket{le="262144"}', made.length);
    expect(await pipeline.one("count()", "reports")).toBe(400);
  });

  it("stays below the limit of inserts a second when a trickle comes over many partitions", async () => {
    pipeline = await Pipeline.create(brokers, endpoint, 24);
    const consumer = await pipeline.launch({ MAX_INSERTS_PER_SECOND: "4", MAX_DELAY_MS: "100" });
    for (let round = 0; round < 15; round += 1) {
      for (let partition = 0; partition < 24; partition += 1)
        await pipeline.produce(partition, records(1));
    }
    await pipeline.untilLedgered(24 * 15, consumer.log);
    const cuts = (await ranges()).map(({ cut_at }) => Number(cut_at));
    // Four at once, then four a second: a slow machine can only make it fewer.
    const seconds = ((cuts.at(-1) ?? 0) - (cuts[0] ?? 0)) / 1_000;
    expect(cuts.length).toBeLessThanOrEqual(4 + 4 * seconds + 1);
    expect(cuts.length).toBeLessThan(24 * 15);
    expect(await pipeline.one("count()", "reports")).toBe(24 * 15);
  });

  it("lets the inserts of other partitions pass a slow one, and fetching go on meanwhile", async () => {
    pipeline = await Pipeline.create(brokers, endpoint, 4);
    let release: () => void = () => undefined;
    const until = new Promise<void>((resolve) => {
      release = resolve;
    });
    const heldNames: string[] = [];
    const proxy = await ClickHouseProxy.start(endpoint.url, (statement) => {
      const [, name] = /insert_deduplication_token = '([^']*\/0\/[^']*)'/.exec(statement) ?? [];
      if (name === undefined || !statement.includes(".reports ")) return {};
      heldNames.push(name);
      return { until };
    });
    try {
      for (let partition = 0; partition < 4; partition += 1) await produce(partition, 3_000);
      const consumer = await pipeline.launch({
        CLICKHOUSE_URL: proxy.url,
        MAX_RANGE_ROWS: "1000",
        INSERT_TIMEOUT_MS: "60000",
      });
      await pipeline.untilLedgered(9_000, consumer.log);
      for (const partition of [1, 2, 3]) await produce(partition, 1_000);
      await pipeline.untilLedgered(12_000, consumer.log);
      expect(heldNames).toHaveLength(1);
      expect((await ranges()).some(({ partition }) => partition === 0)).toBe(false);
      expect(await consumer.health()).toEqual({ status: 200, reason: null });

      release();
      await pipeline.untilLedgered(15_000, consumer.log);
      expect(await pipeline.rows()).toEqual(await pipeline.readable());
    } finally {
      release();
      await proxy.stop();
    }
  });

  it("holds no more in memory than configured while nothing can be written", async () => {
    pipeline = await Pipeline.create(brokers, endpoint, 2);
    const { database, clickHouse } = pipeline;
    // The first bad record stops its partition for good.
    await clickHouse.command({
      query: `RENAME TABLE ${database}.dead_letters TO ${database}.away`,
    });
    // Records that are no reports, of 50,000 bytes each: 80 MB.
    const large = Array.from({ length: 10 }, () => ({ value: Buffer.alloc(50_000, "x") }));
    for (const partition of [0, 1]) {
      await pipeline.produce(partition, records(1));
      for (let sent = 0; sent < 80; sent += 1) await pipeline.produce(partition, large);
    }
    const consumer = await pipeline.launch({
      MAX_BUFFERED_BYTES: String(4 * 1024 * 1024),
      MAX_RANGE_ROWS: "1",
      KAFKA_MAX_PARTITION_FETCH_BYTES: String(1024 * 1024),
      KAFKA_MAX_FETCH_BYTES: String(2 * 1024 * 1024),
      MAX_BAD_PERCENT: "100",
    });
    await waitFor(async () => (await consumer.series("misconfigured")) === 1, {
      what: "the inserts to fail",
      timeoutMs: 60_000,
    });
    const retries = async () =>
      Number(
        await consumer.series(
          'write_retries_total{operation="dead_letters",failure="misconfigured"}',
        ),
      );
    await waitFor(async () => (await retries()) >= 4, { what: "more attempts", timeoutMs: 60_000 });
    const text = await consumer.metrics();
    const buffers = Number(/^nodejs_external_memory_bytes (\S+)$/m.exec(text)?.[1]);
    expect(buffers).toBeGreaterThan(0);
    // The bound, what kafkajs holds of two fetches, and what the process has anyway; far from the topic's 80 MB.
    expect(buffers).toBeLessThan(30 * 1024 * 1024);
    expect(await pipeline.one("count()", "reports")).toBe(2);
  });

  it.each([CompressionTypes.None, CompressionTypes.GZIP])(
    "holds no more than configured of records of 1 MB, and takes all of them once it can: compression %i",
    async (compression) => {
      pipeline = await Pipeline.create(brokers, endpoint, 12);
      const { database, clickHouse } = pipeline;
      const rename = (from: string, to: string) =>
        clickHouse.command({ query: `RENAME TABLE ${database}.${from} TO ${database}.${to}` });
      await rename("dead_letters", "away");
      const producer = pipeline.kafka.producer({
        createPartitioner: Partitioners.DefaultPartitioner,
      });
      await producer.connect();
      const value = Buffer.alloc(1_000_000, "x");
      const size = compression === CompressionTypes.None ? 1 : 5;
      for (let partition = 0; partition < 12; partition += 1)
        for (let sent = 0; sent < 5; sent += size) {
          const messages = Array.from({ length: size }, () => ({ partition, value }));
          await producer.send({ topic: pipeline.topic, acks: -1, compression, messages });
        }
      await producer.disconnect();
      const maxBytes = 16 * 1024 * 1024;
      const consumer = await pipeline.launch({
        MAX_BUFFERED_BYTES: String(maxBytes),
        MAX_RANGE_BYTES: String(4 * 1024 * 1024),
        MAX_BAD_PERCENT: "100",
      });
      let most = 0;
      const look = async () => {
        most = Math.max(most, Number(await consumer.series("buffered_bytes")));
      };
      const retries = 'write_retries_total{operation="dead_letters",failure="misconfigured"}';
      await waitFor(
        async () => {
          await look();
          return Number(await consumer.series(retries)) >= 24;
        },
        { what: "two attempts of each partition", timeoutMs: 60_000 },
      );
      await rename("away", "dead_letters");
      await waitFor(
        async () => {
          await look();
          return (await pipeline.one("sum(set_aside)", "ledger")) === 60;
        },
        { what: "all records to be set aside", timeoutMs: 100_000 },
      );
      expect(most).toBeGreaterThan(12_000_000);
      expect(most).toBeLessThanOrEqual(maxBytes + 12 * 1_001_000);
      await untilSeries(consumer, "buffered_bytes", 0);
    },
  );
});
