import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, it } from "@jest/globals";
import { encodeReport } from "@push-reports/report";
import {
  aReceivedReport,
  describeWithContainers,
  sharedClickHouse,
  sharedKafka,
} from "@push-reports/test-support";
import { Pipeline } from "../support/pipeline.js";

describeWithContainers("verify and replay", ["kafka", "clickhouse"], () => {
  let pipeline: Pipeline;

  beforeEach(async () => {
    const { brokers } = await sharedKafka();
    pipeline = await Pipeline.create(brokers, await sharedClickHouse(), 2);
  });
  afterEach(async () => pipeline.close());

  const records = (count: number) =>
    Array.from({ length: count }, () => encodeReport(aReceivedReport()));
  /** A record that was written before its version was known: the header is all that is wrong with it. */
  const fromTheFuture = (count: number) =>
    records(count).map((record) => ({ ...record, headers: { v: Buffer.from("9") } }));
  const command = (name: "verify" | "replay", ...args: readonly string[]) =>
    new Promise<{ code: number; stdout: string }>((resolve) => {
      const main = fileURLToPath(new URL(`../../dist/${name}-main.js`, import.meta.url));
      execFile(
        process.execPath,
        [main, ...args],
        { env: pipeline.environment() },
        (error, stdout) => resolve({ code: Number(error?.code ?? 0), stdout }),
      );
    });
  const consumeAll = async (offsets: number) => {
    const consumer = pipeline.start({ MAX_RANGE_ROWS: "100" });
    await pipeline.untilLedgered(offsets, consumer.log);
    consumer.child.kill("SIGTERM");
    await consumer.exit;
  };

  it("finds nothing wrong in a healthy system, bad records included", async () => {
    await pipeline.produce(0, [...records(250), { value: Buffer.from("no report") }]);
    await pipeline.produce(1, records(250));
    await consumeAll(501);
    const { code, stdout } = await command("verify", "--json");
    expect(JSON.parse(stdout)).toMatchObject({
      discrepancies: [],
      waitingRecords: 0,
      partitions: 2,
    });
    expect(code).toBe(0);
    expect(await pipeline.one("count()", "ingest_gaps")).toBe(0);
    expect(await pipeline.one("count()", "ingest_overlaps")).toBe(0);
  });

  it("names the range of a row that was deleted, and of one that was doubled", async () => {
    await pipeline.produce(0, records(300));
    await consumeAll(300);
    const { database, clickHouse } = pipeline;
    await clickHouse.command({
      query: `ALTER TABLE ${database}.reports DELETE WHERE offset = 150 SETTINGS mutations_sync = 2`,
    });
    await clickHouse.command({
      query: `INSERT INTO ${database}.reports SELECT * FROM ${database}.reports WHERE offset IN (10, 160)`,
    });
    const { code, stdout } = await command("verify", "--json");
    const { discrepancies } = JSON.parse(stdout) as {
      discrepancies: readonly { kind: string; first: number; last: number }[];
    };
    expect(code).toBe(1);
    expect(discrepancies.every(({ kind }) => kind === "wrong_rows")).toBe(true);
    // 150 is missing and 160 is doubled: the number of rows alone would look right.
    expect(discrepancies.some(({ first, last }) => first <= 150 && 150 <= last)).toBe(true);
    expect(discrepancies.some(({ first, last }) => first <= 10 && 10 <= last)).toBe(true);
  });

  it("names offsets that were skipped, and a ledger row that is missing", async () => {
    await pipeline.produce(0, records(100));
    await consumeAll(100);
    await pipeline.admin.setOffsets({
      groupId: pipeline.name,
      topic: pipeline.topic,
      partitions: [{ partition: 0, offset: "130" }],
    });
    await pipeline.produce(0, records(100));
    await consumeAll(170);
    const { code, stdout } = await command("verify", "--json");
    expect(JSON.parse(stdout).discrepancies).toContainEqual(
      expect.objectContaining({ kind: "gap", partition: 0, first: 100, last: 129 }),
    );
    expect(code).toBe(1);
    expect(await pipeline.one("sum(offsets)", "ingest_gaps")).toBe(30);
  });

  it("replays what can be read by now, once, and keeps the ledger's sums true", async () => {
    await pipeline.produce(0, [...records(50), ...fromTheFuture(3), { value: null }]);
    await consumeAll(54);
    expect(await pipeline.one("count()", "dead_letters FINAL")).toBe(4);
    // What a newer version would read is made readable here by giving the dead letters the version that this one knows.
    const { database, clickHouse } = pipeline;
    await clickHouse.command({
      query: `ALTER TABLE ${database}.dead_letters UPDATE headers_base64 = map('v', base64Encode('1'))
              WHERE reason = 'unknown_version' SETTINGS mutations_sync = 2`,
    });

    const dry = await command("replay", "--dry-run");
    expect(dry.stdout).toContain('{"selected":4,"alreadyRows":0,"stillBad":1,"replayed":3}');
    expect(await pipeline.one("count()", "reports")).toBe(50);

    const narrow = await command("replay", "--yes", "--reason", "unknown_version", "--last", "50");
    expect(narrow).toMatchObject({ code: 0 });
    expect(narrow.stdout).toContain(
      'done: {"selected":1,"alreadyRows":0,"stillBad":0,"replayed":1}',
    );
    const first = await command("replay", "--yes");
    expect(first.stdout).toContain(
      'done: {"selected":4,"alreadyRows":1,"stillBad":1,"replayed":2}',
    );
    expect(first.code).toBe(1);
    const again = await command("replay", "--yes");
    expect(again.stdout).toContain(
      'done: {"selected":4,"alreadyRows":3,"stillBad":1,"replayed":0}',
    );

    expect(await pipeline.rows()).toEqual(await pipeline.readable());
    const { code, stdout } = await command("verify", "--json");
    expect(JSON.parse(stdout).discrepancies).toEqual([]);
    expect(code).toBe(0);
  });
});
