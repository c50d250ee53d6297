import { afterEach, beforeEach, expect, it } from "@jest/globals";
import { AGAIN_HEADER, encodeReport, type ReportRecord } from "@push-reports/report";
import {
  aReceivedReport,
  describeWithContainers,
  sharedClickHouse,
  sharedKafka,
} from "@push-reports/test-support";
import { Pipeline } from "../support/pipeline.js";

describeWithContainers("records that were sent again", ["kafka", "clickhouse"], () => {
  let pipeline: Pipeline;

  beforeEach(async () => {
    const { brokers } = await sharedKafka();
    pipeline = await Pipeline.create(brokers, await sharedClickHouse(), 1);
  });
  afterEach(async () => pipeline.close());

  const records = (count: number) =>
    Array.from({ length: count }, () => encodeReport(aReceivedReport()));
  const again = (record: ReportRecord) => ({
    ...record,
    headers: { ...record.headers, [AGAIN_HEADER]: Buffer.from("1") },
  });
  const ofVersion9 = (record: ReportRecord) => ({
    ...record,
    headers: { ...record.headers, v: Buffer.from("9") },
  });
  const consumeAll = async (offsets: number) => {
    const consumer = pipeline.start({ MAX_RANGE_ROWS: "100" });
    await pipeline.untilLedgered(offsets, consumer.log);
    consumer.child.kill("SIGTERM");
    await consumer.exit;
  };
  const replay = async () => (await pipeline.command("replay", "--yes")).stdout;

  it("become rows unless a copy is one: of the same range, of an earlier one, or of the topic's earlier life", async () => {
    const first = records(150);
    const [early, late, elsewhere, fresh] = [first[0], first[149], ...records(2)];
    if (!early || !late || !elsewhere || !fresh) throw new Error("Too few records");
    await pipeline.produce(0, [...first, again(early), again(late)]);
    await consumeAll(152);
    await pipeline.produce(0, [elsewhere]);
    await consumeAll(153);
    await pipeline.alter("reports UPDATE source = 'earlier' WHERE offset = 152");
    await pipeline.produce(0, [again(early), again(elsewhere), again(fresh), again(fresh)]);
    await consumeAll(157);

    expect(await pipeline.one("count()", "reports")).toBe(152);
    expect(await pipeline.one("uniqExact(report_id)", "reports")).toBe(152);
    expect(await pipeline.one("sum(repeated)", "ledger")).toBe(5);
  });

  it("become one row when both copies were set aside and are replayed", async () => {
    const [both, onlyFirst] = records(2).map(ofVersion9);
    if (!both || !onlyFirst) throw new Error("Too few records");
    await pipeline.produce(0, [both, onlyFirst, again(both)]);
    await consumeAll(3);
    // The version that reads them is there by the time that one of them is sent again.
    await pipeline.produce(0, [again({ ...onlyFirst, headers: { v: Buffer.from("1") } })]);
    await consumeAll(4);
    expect(await pipeline.one("count()", "reports")).toBe(1);
    await pipeline.makeLettersReadable();

    expect(await replay()).toContain(
      'done: {"selected":3,"alreadyRows":2,"stillBad":0,"replayed":1}',
    );
    expect(await replay()).toContain(
      'done: {"selected":3,"alreadyRows":3,"stillBad":0,"replayed":0}',
    );
    expect(await pipeline.one("count()", "reports")).toBe(2);
    expect(await pipeline.one("uniqExact(report_id)", "reports")).toBe(2);
  });
});
