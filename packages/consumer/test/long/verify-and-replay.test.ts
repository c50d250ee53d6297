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
  const command: Pipeline["command"] = (name, ...args) => pipeline.command(name, ...args);
  const consumeAll = async (offsets: number, settings: NodeJS.ProcessEnv = {}) => {
    const consumer = pipeline.start({ MAX_RANGE_ROWS: "100", ...settings });
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
    await pipeline.alter("reports DELETE WHERE offset = 150");
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

  it("names offsets that were skipped", async () => {
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
    await pipeline.makeLettersReadable();

    const dry = await command("replay", "--dry-run");
    expect(dry.stdout).toContain(
      '{"selected":4,"alreadyRows":0,"stillBad":1,"replayed":3,"decidedByTrying":0}',
    );
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

  it("finds what was replayed from a range of nothing but dead letters, before all ranges with rows", async () => {
    const earlier = new Date(Date.now() - 3_600_000);
    const future = Array.from({ length: 3 }, () => ({
      ...encodeReport(aReceivedReport({ receivedAt: earlier })),
      headers: { v: Buffer.from("9") },
    }));
    await pipeline.produce(0, future);
    await consumeAll(3);
    const now = Array.from({ length: 20 }, () =>
      encodeReport(aReceivedReport({ receivedAt: new Date() })),
    );
    await pipeline.produce(0, now);
    await consumeAll(23);
    await pipeline.makeLettersReadable();
    expect(await command("replay", "--yes")).toMatchObject({ code: 0 });
    expect(await pipeline.one("count()", "reports")).toBe(23);

    const { code, stdout } = await command("verify", "--json");
    expect(JSON.parse(stdout).discrepancies).toEqual([]);
    expect(code).toBe(0);
  });

  it("calls it no gap when a partition was idle for the whole time that is looked at", async () => {
    await pipeline.produce(0, records(20));
    await consumeAll(20);
    await pipeline.alter("ledger UPDATE completed_at = completed_at - INTERVAL 30 DAY WHERE true");
    const { code, stdout } = await command("verify", "--json");
    expect({ code, ...JSON.parse(stdout) }).toMatchObject({
      code: 0,
      ranges: 0,
      discrepancies: [],
    });
  });

  it("takes rows that have expired for lawful, and no others", async () => {
    const { database, clickHouse } = pipeline;
    await clickHouse.command({
      query: `ALTER TABLE ${database}.reports MODIFY TTL toDateTime(received_at) + INTERVAL 24 MONTH
              SETTINGS materialize_ttl_after_modify = 0`,
    });
    const old = new Date("2019-05-05T05:05:05.000Z");
    await pipeline.produce(0, [
      ...records(30),
      ...Array.from({ length: 10 }, () => encodeReport(aReceivedReport({ receivedAt: old }))),
    ]);
    await pipeline.produce(1, records(30));
    await consumeAll(70);
    const remove = (where: string) => pipeline.alter(`reports DELETE WHERE ${where}`);
    await remove("received_at < '2020-01-01' AND offset % 2 = 0");
    expect(await command("verify")).toMatchObject({ code: 0 });
    await remove("received_at < '2020-01-01'");
    expect(await command("verify")).toMatchObject({ code: 0 });
    await remove("partition = 1 AND offset = 7");
    const { code, stdout } = await command("verify");
    expect(code).toBe(1);
    expect(stdout).toContain("wrong_rows: partition 1, offsets 0 to 29: 30 rows booked, 29 rows");
  });

  it("leaves dead letters alone whose range is under way, for it may yet make them rows", async () => {
    await pipeline.produce(0, [...records(5), ...fromTheFuture(1)]);
    const crashing = pipeline.startCrashing({ CRASH_AT_STEP: "set_aside" });
    await crashing.exit;
    expect(await pipeline.one("count()", "dead_letters FINAL")).toBe(1);
    const early = await command("replay", "--dry-run");
    expect(early.stdout).toContain('"selected":0');
    await consumeAll(6);
    const late = await command("replay", "--dry-run");
    expect(late.stdout).toContain('"selected":1');
  });

  it("selects by when records were set aside", async () => {
    await pipeline.produce(0, [...records(1), ...fromTheFuture(2)]);
    await consumeAll(3);
    const selected = async (...args: readonly string[]) =>
      /"selected":(\d+)/.exec((await command("replay", "--dry-run", ...args)).stdout)?.[1];
    const [past, future] = ["2020-01-01T00:00:00Z", "2200-01-01T00:00:00Z"];
    expect(await selected("--from", past, "--to", future)).toBe("2");
    expect(await selected("--to", past)).toBe("0");
    expect(await selected("--from", future)).toBe("0");
    expect(await selected("--first", "2", "--reason", "unknown_version")).toBe("1");
    expect(await selected("--reason", "not_json")).toBe("0");
    expect(await selected("--first", "2", "--last", "2", "--from", past.slice(0, 10))).toBe("1");
    for (const [slip, text] of [
      [["--reason", "not_jsn"], "--reason must be one of"],
      [["--from", "2026-01-31T12:00"], "--from must be a time like"],
      [["--to", "5"], "--to must be a time like"],
      [["--first", "3", "--last", "2"], "--first must not lie behind --last"],
      [["--from", future, "--to", past], "--from must lie before --to"],
      [["--from", past, "--to", past.slice(0, 10)], "--from must lie before --to"],
    ] as const)
      expect(await command("replay", "--dry-run", ...slip)).toMatchObject({
        code: 2,
        stderr: expect.stringContaining(text),
      });
  });

  it("finds nothing wrong while consumers are at work", async () => {
    const consumer = pipeline.start({ MAX_RANGE_ROWS: "100" });
    let isOver = false;
    const producing = (async () => {
      while (!isOver) {
        await pipeline.produce(0, records(20));
        await delay(50);
      }
    })();
    const ends: unknown[] = [];
    await waitFor(
      async () => {
        ends.push(await command("verify"));
        return ends.length >= 3 && (await pipeline.one("count()", "ledger")) > 4;
      },
      { what: "ranges beside three looks", timeoutMs: 60_000 },
    );
    isOver = true;
    await producing;
    expect(ends).toMatchObject(ends.map(() => ({ code: 0 })));
    await pipeline.stop(consumer);
  });

  it("counts the rows of a range of which only the rows are left", async () => {
    const earlier = new Date(Date.now() - 5 * 86_400_000);
    const receivedAt = (time: Date, count: number) =>
      Array.from({ length: count }, () => encodeReport(aReceivedReport({ receivedAt: time })));
    await pipeline.produce(0, receivedAt(earlier, 50));
    await pipeline.startCrashing({ CRASH_AT_STEP: "inserted" }).exit;
    const { topic, database } = pipeline;
    // kafkajs deletes only from a topic whose offsets it was asked for.
    await pipeline.admin.fetchTopicOffsets(topic);
    await pipeline.admin.deleteTopicRecords({
      topic,
      partitions: [{ partition: 0, offset: "50" }],
    });
    await pipeline.produce(0, receivedAt(new Date(), 20));
    // What an insert of the dead consumer may still write is waited for as long as an insert may take.
    await consumeAll(70, { INSERT_TIMEOUT_MS: "5000" });
    const [booked] = await pipeline.rowsOf(
      `SELECT toUInt32(rows) AS rows, received_from FROM ${database}.ledger ORDER BY first LIMIT 1`,
    );
    expect(booked).toEqual({ rows: 50, received_from: null });
    const { code, stdout } = await command("verify");
    expect(stdout).toContain("0 discrepancies");
    expect(code).toBe(0);
  });

  it("says so when there is more than it lists, and counts it", async () => {
    const { database, clickHouse, source } = pipeline;
    await pipeline.produce(0, records(1));
    // 1,500 ranges of two offsets with a gap of two behind each, booked and never written.
    await clickHouse.command({
      query: `INSERT INTO ${database}.ledger (source, partition, first, last, rows, set_aside, repeated, absent, name, cut_at, received_from)
              SELECT '${source}', 1, number * 4, number * 4 + 1, 1, 0, 0, 1, toString(number), now(), now() FROM numbers(1500)`,
    });
    const { code, stdout } = await command("verify");
    expect(code).toBe(1);
    expect(stdout).toContain("wrong_rows: 500 more, which are not listed\n");
    expect(stdout).toContain("absent: 500 more, which are not listed\n");
    // Each is wrong and has an absent offset, 1,499 have a gap behind them, and the log ends before the last.
    expect(stdout).toContain(`${1_500 + 1_500 + 1_499 + 1} discrepancies`);
    const { cut } = JSON.parse((await command("verify", "--json")).stdout);
    expect(cut).toEqual([
      { kind: "gap", unlisted: 499 },
      { kind: "wrong_rows", unlisted: 500 },
      { kind: "absent", unlisted: 500 },
    ]);
  });

  it("replays what is taken by now, and names what is still refused", async () => {
    const without = (...bad: readonly number[]) =>
      records(20).map((record, index) => {
        if (!bad.includes(index)) return record;
        // The contract takes it, a check of the table does not.
        return encodeReport(
          aReceivedReport({ instanceId: "00000000-0000-0000-0000-000000000000" }),
        );
      });
    await pipeline.produce(0, without(3, 7));
    await pipeline.produce(0, fromTheFuture(2));
    await consumeAll(22);
    expect(await pipeline.one("count()", "dead_letters FINAL")).toBe(4);
    // One of the refused, and what this version could not read, is mended in the dead letters.
    await pipeline.alter(
      `dead_letters UPDATE
                headers_base64 = map('v', base64Encode('1')),
                value_base64 = if(offset = 3, base64Encode(replaceOne(base64Decode(value_base64),
                  '00000000-0000-0000-0000-000000000000', '426abfc7-41fe-492f-bcf1-27586fa9bd3f')), value_base64)
              WHERE true`,
    );

    const dry = await command("replay", "--dry-run");
    expect(dry.stdout).toContain(
      '{"selected":4,"alreadyRows":0,"stillBad":0,"replayed":2,"decidedByTrying":2}',
    );
    const first = await command("replay", "--yes");
    expect(first.stdout).toContain("still refused: partition 0, offset 7, code 469\n");
    expect(first.stdout).toContain(
      'done: {"selected":4,"alreadyRows":0,"stillBad":1,"replayed":3}',
    );
    expect(first.code).toBe(1);
    const again = await command("replay", "--yes");
    expect(again.stdout).toContain(
      'done: {"selected":4,"alreadyRows":3,"stillBad":1,"replayed":0}',
    );
    expect(again.code).toBe(1);

    expect(await pipeline.one("count()", "reports")).toBe(21);
    expect(await pipeline.one("uniqExact(offset)", "reports")).toBe(21);
    expect(await command("verify")).toMatchObject({ code: 0 });
  });
});
