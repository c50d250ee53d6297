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

describeWithContainers(
  "records that retention removed before they were read",
  ["kafka", "clickhouse"],
  () => {
    let pipeline: Pipeline;

    beforeEach(async () => {
      pipeline = await Pipeline.create((await sharedKafka()).brokers, await sharedClickHouse(), 1);
    });
    afterEach(async () => pipeline.close());

    /** Rows are looked up once an earlier insert has ended for sure. */
    const soon = { INSERT_TIMEOUT_MS: "5000" };
    const records = (count: number) =>
      Array.from({ length: count }, () =>
        encodeReport(aReceivedReport({ receivedAt: new Date() })),
      );
    const removeBefore = async (offset: number) => {
      const { topic, admin } = pipeline;
      // kafkajs deletes only from a topic whose offsets it was asked for.
      await admin.fetchTopicOffsets(topic);
      await admin.deleteTopicRecords({
        topic,
        partitions: [{ partition: 0, offset: String(offset) }],
      });
    };
    /** The log and the metric come after the ledger's row. */
    const untilNamed = (consumer: Awaited<ReturnType<Pipeline["launch"]>>) =>
      waitFor(async () => Number(await consumer.series("absent_records_total")) > 0, {
        what: "the loss to be named",
      });
    const absences = (consumer: Awaited<ReturnType<Pipeline["launch"]>>) =>
      consumer.events("records_absent").map(({ first, last, absent, stretches }) => ({
        first,
        last,
        absent,
        stretches,
      }));

    it("are booked, counted and named, and verify says so; also when the log holds nothing more", async () => {
      await pipeline.produce(0, records(200));
      await removeBefore(120);
      const first = await pipeline.launch();
      await pipeline.untilLedgered(200, first.log);
      await untilNamed(first);
      expect(absences(first)).toEqual([
        { first: 0, last: 119, absent: 120, stretches: [{ from: 0, to: 119 }] },
      ]);
      expect(await first.series("absent_records_total")).toBe(120);
      await pipeline.stop(first);

      await pipeline.produce(0, records(50));
      await removeBefore(-1);
      const second = await pipeline.launch(soon);
      await pipeline.untilLedgered(250, second.log);
      await untilNamed(second);
      expect(absences(second)).toMatchObject([{ first: 200, last: 249, absent: 50 }]);
      await pipeline.stop(second);

      expect(await pipeline.one("count()", "reports")).toBe(80);
      expect(await pipeline.one("sum(absent)", "ledger")).toBe(170);
      expect(await pipeline.one("count()", "ingest_gaps")).toBe(0);
      const { code, stdout } = await pipeline.command("verify", "--json");
      const { discrepancies, absentOffsets } = JSON.parse(stdout);
      expect({ code, absentOffsets, discrepancies }).toMatchObject({
        code: 1,
        absentOffsets: 170,
        discrepancies: [
          { kind: "absent", partition: 0, first: 0, last: 119 },
          { kind: "absent", partition: 0, first: 200, last: 249 },
        ],
      });
    });

    it("are named by verify before any consumer has come back", async () => {
      await pipeline.produce(0, records(10));
      const consumer = await pipeline.launch(soon);
      await pipeline.untilLedgered(10, consumer.log);
      await pipeline.stop(consumer);
      await pipeline.produce(0, records(20));
      await removeBefore(25);

      const { code, stdout } = await pipeline.command("verify", "--json");
      expect(code).toBe(1);
      expect(JSON.parse(stdout).discrepancies).toEqual([
        expect.objectContaining({ kind: "absent", first: 10, last: 24 }),
      ]);
    });

    it.each([
      { what: "a part of a range under way", upTo: 140 },
      { what: "all of a range under way and more", upTo: 230 },
    ])("leave no row doubled when they were $what", async ({ upTo }) => {
      await pipeline.produce(0, records(300));
      const first = pipeline.startCrashing({
        MAX_RANGE_ROWS: "100",
        CRASH_AT_STEP: "inserted",
        CRASH_AT_COUNT: "2",
      });
      expect(await first.exit).toMatchObject({ signal: "SIGKILL" });
      await removeBefore(upTo);
      const second = await pipeline.launch({ ...soon, MAX_RANGE_ROWS: "70" });
      await pipeline.untilLedgered(300, second.log);
      // The range under way, 100 to 199, was inserted before: its rows are all there, whatever the log still holds.
      const lost = Math.max(0, upTo - 200);
      expect(await pipeline.one("uniqExact(offset)", "reports")).toBe(300 - lost);
      expect(await pipeline.one("count()", "reports")).toBe(300 - lost);
      expect(await pipeline.one("sum(absent)", "ledger")).toBe(lost);
      expect(await second.series("duplicates_dropped_total")).toBe(100);
      expect(await second.series("recovered_ranges_total")).toBe(1);
    });
  },
);
