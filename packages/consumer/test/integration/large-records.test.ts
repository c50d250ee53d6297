import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, expect, it } from "@jest/globals";
import { encodeReport } from "@push-reports/report";
import {
  aReceivedReport,
  describeWithContainers,
  readTopic,
  sharedClickHouse,
  sharedKafka,
} from "@push-reports/test-support";
import { CompressionTypes, Partitioners } from "kafkajs";
import { Pipeline } from "../support/pipeline.js";

const MIB = 1_048_576;

describeWithContainers("records beyond every limit", ["kafka", "clickhouse"], () => {
  let pipeline: Pipeline;
  let brokers: readonly string[];

  beforeEach(async () => {
    brokers = (await sharedKafka()).brokers;
    pipeline = await Pipeline.create(brokers, await sharedClickHouse(), 1);
  });
  afterEach(async () => pipeline.close());

  const good = () => encodeReport(aReceivedReport());
  const produceAsGzip = async (values: readonly (Buffer | null)[]) => {
    const producer = pipeline.kafka.producer({
      createPartitioner: Partitioners.DefaultPartitioner,
    });
    await producer.connect();
    const messages = values.map((value) => ({ partition: 0, value }));
    const compression = CompressionTypes.GZIP;
    await producer.send({ topic: pipeline.topic, acks: -1, compression, messages });
    await producer.disconnect();
  };

  it("are kept whole in the table, told of in the topic, and stop no partition", async () => {
    const large = Buffer.alloc(5 * MIB, randomBytes(1_024));
    // The records' topic takes it, the dead-letter topic does not: our headers make it longer.
    const atTheLimit = randomBytes(MIB - 200);
    await pipeline.produce(0, [good(), { value: Buffer.from("no report") }]);
    await produceAsGzip([large]);
    await pipeline.produce(0, [{ value: atTheLimit }]);
    await produceAsGzip(Array.from({ length: 6_000 }, () => null));
    await pipeline.produce(0, [good(), good()]);

    const consumer = await pipeline.launch({ MAX_DELAY_MS: "1000", MAX_BAD_PERCENT: "100" });
    await pipeline.untilLedgered(6_006, consumer.log, 100_000);

    expect(await pipeline.one("count()", "reports")).toBe(3);
    expect(await pipeline.one("sum(set_aside)", "ledger")).toBe(6_003);
    const kept = await pipeline.rowsOf<{ offset: string; hash: string; bytes: string }>(
      `SELECT toString(offset) AS offset, hex(SHA256(base64Decode(value_base64))) AS hash, toString(length(base64Decode(value_base64))) AS bytes
       FROM ${pipeline.database}.dead_letters FINAL WHERE offset IN (2, 3) ORDER BY dead_letters.offset`,
    );
    expect(kept.map(({ bytes }) => Number(bytes))).toEqual([large.length, atTheLimit.length]);
    expect(await pipeline.one("count()", "dead_letters FINAL")).toBe(6_003);

    const letters = new Map(
      (await readTopic(brokers, pipeline.deadLetterTopic)).map((letter) => [
        letter.headers["dead-letter-offset"]?.toString(),
        letter,
      ]),
    );
    expect(letters.size).toBe(6_003);
    expect(letters.get("1")?.value?.toString()).toBe("no report");
    expect(letters.get("1")?.headers).not.toHaveProperty("dead-letter-left-out");
    for (const [offset, bytes] of [
      ["2", large.length],
      ["3", atTheLimit.length],
    ] as const) {
      expect(letters.get(offset)?.value ?? null).toBeNull();
      expect(letters.get(offset)?.headers).toMatchObject({
        "dead-letter-reason": Buffer.from("too_large"),
        "dead-letter-source": Buffer.from(pipeline.source),
        "dead-letter-partition": Buffer.from("0"),
        "dead-letter-value-bytes": Buffer.from(String(bytes)),
        "dead-letter-left-out": Buffer.from("value: see the table dead_letters"),
      });
    }
    expect(consumer.events("dead_letter_shortened")).toHaveLength(2);
    expect(await consumer.health()).toEqual({ status: 200, reason: null });
    // What cannot become rows stays what it is, and is not carried through memory whole.
    const dry = await pipeline.command("replay", "--dry-run");
    expect(dry.stdout).toContain('"selected":6003');
  });
});
