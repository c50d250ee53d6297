import { afterEach, beforeEach, expect, it } from "@jest/globals";
import { encodeReport } from "@push-reports/report";
import {
  aReceivedReport,
  describeWithContainers,
  sharedClickHouse,
  sharedKafka,
} from "@push-reports/test-support";
import { Pipeline } from "../support/pipeline.js";

describeWithContainers("a range that was announced an hour ago", ["kafka", "clickhouse"], () => {
  let pipeline: Pipeline;

  beforeEach(async () => {
    pipeline = await Pipeline.create((await sharedKafka()).brokers, await sharedClickHouse(), 1);
  });
  afterEach(async () => pipeline.close());

  const records = (count: number) =>
    Array.from({ length: count }, () => encodeReport(aReceivedReport()));
  /** The tables forget every insert so far. */
  const forgetInserts = async () => {
    const { clickHouse, database } = pipeline;
    for (const table of ["reports", "ledger", "dead_letters"])
      for (const window of [0, 1_000])
        await clickHouse.command({
          query: `ALTER TABLE ${database}.${table} MODIFY SETTING non_replicated_deduplication_window = ${window}`,
        });
  };

  it.each([
    { step: "intent_committed", stored: 0 },
    { step: "set_aside", stored: 0 },
    { step: "inserted", stored: 99 },
    { step: "ledger_written", stored: null },
  ])(
    "and had got as far as $step is completed exactly, by the rows that are there",
    async ({ step, stored }) => {
      await pipeline.produce(0, [
        ...records(150),
        { value: Buffer.from("no report") },
        ...records(149),
      ]);
      // Its clock is an hour behind, so that what it leaves looks an hour old.
      const first = pipeline.startCrashing({
        MAX_RANGE_ROWS: "100",
        CRASH_AT_STEP: step,
        CRASH_AT_COUNT: "2",
        CLOCK_BEHIND_MS: "3600000",
      });
      expect(await first.exit).toEqual({ code: null, signal: "SIGKILL" });
      await forgetInserts();
      await pipeline.produce(0, records(50));

      // It waits for that long before it looks rows up.
      const second = await pipeline.launch({ MAX_RANGE_ROWS: "64", INSERT_TIMEOUT_MS: "3000" });
      await pipeline.untilLedgered(350, second.log);
      expect(await pipeline.rows()).toEqual(await pipeline.readable());
      expect(await pipeline.one("count()", "dead_letters FINAL")).toBe(1);
      expect(await pipeline.one("sum(rows)", "ledger")).toBe(349);
      expect(await pipeline.one("sum(set_aside)", "ledger")).toBe(1);
      if (stored === null) return expect(await second.series("recovered_ranges_total")).toBe(0);
      expect(await second.series("duplicates_dropped_total")).toBe(stored);
      expect(second.events("partition_started")).toMatchObject([{ mustLookUp: true }]);
    },
  );
});
