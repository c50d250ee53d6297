import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { encodeReport } from "@push-reports/report";
import {
  aReceivedReport,
  describeWithContainers,
  sharedClickHouse,
  sharedKafka,
} from "@push-reports/test-support";
import { Pipeline } from "../support/pipeline.js";

describeWithContainers("inputs that no gateway writes", ["kafka", "clickhouse"], () => {
  let pipeline: Pipeline;

  beforeAll(async () => {
    pipeline = await Pipeline.create((await sharedKafka()).brokers, await sharedClickHouse(), 1);
  });
  afterAll(async () => pipeline.close());

  const good = () => encodeReport(aReceivedReport());
  const line = () => good().value.toString();
  const latin1 = (text: string) => Buffer.from(text, "latin1");

  it("are set aside, each with its reason, and stop nothing", async () => {
    const { headers } = good();
    const inputs: readonly (readonly [string, Parameters<Pipeline["produce"]>[1][number]])[] = [
      ["too_large", { ...good(), value: Buffer.from(`${line()}${" ".repeat(200_000)}`) }],
      ["empty_value", { ...good(), value: Buffer.alloc(0) }],
      ["empty_value", { ...good(), value: null }],
      ["not_json", { ...good(), value: Buffer.from(`${line()}\n${line()}`) }],
      ["not_json", { ...good(), value: Buffer.from(`${line()}${line()}`) }],
      ["not_utf8", { ...good(), value: latin1(line().replace("pubid-", "pubid-\u00ff\u00fe")) }],
      ["no_version", { value: good().value }],
      ["unknown_version", { ...good(), headers: { v: Buffer.from("2") } }],
      ["unknown_version", { ...good(), headers: { v: Buffer.alloc(0) } }],
      ["not_json", { ...good(), value: Buffer.from("[]") }],
      ["not_json", { ...good(), value: Buffer.from("null") }],
      ["invalid_field", { ...good(), value: Buffer.from(line().replace("}", ',"offset":7}')) }],
      ["invalid_field", { ...good(), value: Buffer.from("{}") }],
      ["invalid_field", { ...good(), value: Buffer.from(line().replace("delivery", "lost")) }],
      ["not_json", { headers, value: Buffer.from(line().slice(0, -1)) }],
    ];
    for (const [, record] of inputs) await pipeline.produce(0, [good(), record]);
    await pipeline.produce(0, [good()]);

    const consumer = await pipeline.launch({ MAX_RANGE_ROWS: "7" });
    const offsets = 2 * inputs.length + 1;
    await pipeline.untilLedgered(offsets, consumer.log);

    const letters = await pipeline.select(
      "SELECT offset, reason, clickhouse_code, detail FROM dead_letters FINAL ORDER BY offset",
    );
    expect(letters.map(({ offset, reason }) => [offset, reason])).toEqual(
      inputs.map(([reason], index) => [2 * index + 1, reason]),
    );
    // Why, never what: the record's own text may be personal.
    for (const { detail } of letters) {
      expect(detail).not.toBe("");
      expect(detail).not.toContain("pubid-");
    }
    expect(await pipeline.one("count()", "reports")).toBe(inputs.length + 1);
    expect(await pipeline.one("countIf(offset % 2 = 0)", "reports")).toBe(inputs.length + 1);
    expect(await consumer.health()).toEqual({ status: 200, reason: null });
    expect(consumer.log()).not.toContain("pubid-");
  });

  it("are read when they are of version 1 as it has lain on topics since its first day", async () => {
    const value = Buffer.from(
      '{"report_id":"018c3f5e-0000-7000-8000-00000000beef","received_at":"2026-01-02 03:04:05.678",' +
        '"instance_id":"426abfc7-41fe-492f-bcf1-27586fa9bd3f","event":"open","publish_id":"pubid-1{}\\n","device_id":"web-1",' +
        '"occurred_at":1700000000,"user_id":null,"app_in_background":true,"has_displayable_content":null,"has_data":false,' +
        '"client_library":"push-notifications-web 1.0"}',
    );
    const before = await pipeline.one("count()", "reports");
    const offsets = await pipeline.one("sum(last - first + 1)", "ledger");
    await pipeline.produce(0, [{ headers: { v: Buffer.from("1") }, value }]);
    await pipeline.untilLedgered(offsets + 1, () => "");
    expect(await pipeline.one("count()", "reports")).toBe(before + 1);
    const [row] = await pipeline.select(
      "SELECT * FROM reports WHERE report_id = '018c3f5e-0000-7000-8000-00000000beef'",
    );
    expect(row).toMatchObject({
      received_at: "2026-01-02 03:04:05.678",
      instance_id: "426abfc7-41fe-492f-bcf1-27586fa9bd3f",
      event: "open",
      publish_id: "pubid-1{}\n",
      device_id: "web-1",
      occurred_at: "2023-11-14 22:13:20",
      user_id: null,
      app_in_background: true,
      has_displayable_content: null,
      has_data: false,
      client_library: "push-notifications-web 1.0",
      source: pipeline.source,
      partition: 0,
      offset: offsets,
    });
  });
});
