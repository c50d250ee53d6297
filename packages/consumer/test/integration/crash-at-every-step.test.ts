import { afterEach, beforeAll, expect, it } from "@jest/globals";
import { encodeReport } from "@push-reports/report";
import {
  aReceivedReport,
  type ClickHouseEndpoint,
  describeWithContainers,
  type KafkaEndpoint,
  sharedClickHouse,
  sharedKafka,
} from "@push-reports/test-support";
import { Pipeline } from "../support/pipeline.js";

describeWithContainers("a consumer that is killed", ["kafka", "clickhouse"], () => {
  let kafka: KafkaEndpoint;
  let clickHouse: ClickHouseEndpoint;
  let pipeline: Pipeline;

  beforeAll(async () => {
    kafka = await sharedKafka();
    clickHouse = await sharedClickHouse();
  });
  afterEach(async () => pipeline.close());

  const records = (count: number) =>
    Array.from({ length: count }, () => encodeReport(aReceivedReport()));

  it.each(["cut", "intent_committed", "set_aside", "inserted", "ledger_written", "committed"])(
    "at the step %s leaves a range that its successor completes exactly once",
    async (step) => {
      pipeline = await Pipeline.create(kafka.brokers, clickHouse, 2);
      for (const partition of [0, 1]) {
        await pipeline.produce(partition, records(300));
        await pipeline.produce(partition, [{ value: Buffer.from("no report") }]);
        await pipeline.produce(partition, records(300));
      }
      const first = pipeline.start({
        CRASH_AT_STEP: step,
        CRASH_AT_COUNT: "3",
        MAX_RANGE_ROWS: "100",
      });
      expect(await first.exit).toEqual({ code: null, signal: "SIGKILL" });

      // Other limits than before: the range under way must come back as it was announced.
      const second = pipeline.start({ MAX_RANGE_ROWS: "73" });
      await pipeline.untilLedgered(1202, second.log);
      expect(await pipeline.rows()).toEqual(await pipeline.readable());
      expect(await pipeline.one("count()", "dead_letters FINAL")).toBe(2);
      expect(await pipeline.one("sum(set_aside)", "ledger")).toBe(2);
      expect(await pipeline.one("sum(absent) + sum(repeated)", "ledger")).toBe(0);

      second.child.kill("SIGTERM");
      expect(await second.exit).toEqual({ code: 0, signal: null });
    },
  );
});
