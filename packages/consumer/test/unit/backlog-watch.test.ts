import { describe, expect, it } from "@jest/globals";
import { FakeClock } from "@push-reports/test-support";
import { Backlog } from "../../src/backlog.js";
import { BacklogWatch } from "../../src/backlog-watch.js";
import { ClickHouseFreshness } from "../../src/clickhouse-freshness.js";
import type { Freshness } from "../../src/freshness.js";
import type { LogEnds } from "../../src/record-source.js";
import { WriteError } from "../../src/report-writer.js";
import { WriteRetrier } from "../../src/write-retrier.js";
import { RecordedLogger } from "../fakes/recorded-logger.js";

const PUBLISHED: Freshness = { publish: async () => undefined };

function aWatch(ends: () => Promise<LogEnds>, freshness = PUBLISHED, clock = new FakeClock()) {
  const logger = new RecordedLogger();
  const backlog = new Backlog(clock);
  const options = { source: "test.1", intervalMs: 1_000, receiptMarginMs: 0 };
  const watch = new BacklogWatch({ ends }, backlog, freshness, options, clock, logger);
  return { clock, watch, backlog, logger };
}

const NO_RECORDS: LogEnds = { partitions: 0, highWatermarks: new Map() };

describe("the watch on the log's end", () => {
  it("says that a look was not answered, and looks again", async () => {
    let looks = 0;
    const { clock, watch, logger } = aWatch(() => {
      looks += 1;
      return looks === 1 ? new Promise<never>(() => undefined) : Promise.resolve(NO_RECORDS);
    });
    const stopped = new AbortController();
    let seen = 0;
    const running = watch.run(stopped.signal, () => {
      seen += 1;
    });

    await clock.advance(59_999);
    expect(looks).toBe(1);
    await clock.advance(1_001);

    expect(seen).toBe(1);
    expect(logger.lines).toMatchObject([{ level: "warn", event: "freshness_unknown" }]);
    stopped.abort();
    await running;
  });

  it("knows of no misconfiguration any more once it has no partitions and the missing table is there", async () => {
    const clock = new FakeClock();
    const delays = { initialMs: 1_000, maxMs: 1_000 };
    const retrier = new WriteRetrier(
      clock,
      new RecordedLogger(),
      { passing: delays, misconfigured: delays },
      { retried: () => undefined },
    );
    let isTableThere = false;
    const inserted: string[] = [];
    const table = new ClickHouseFreshness({
      insert: async (_table, _token, lines) => {
        if (!isTableThere) throw new WriteError("misconfigured", 60, "There is no table freshness");
        inserted.push(String(lines));
      },
    });
    const freshness: Freshness = {
      publish: (entries) => retrier.once("freshness", () => table.publish(entries)),
    };
    const ends = { partitions: 1, highWatermarks: new Map([[0, 5]]) };
    const { watch, backlog } = aWatch(async () => ends, freshness, clock);
    backlog.started(0, 5);
    const stopped = new AbortController();
    const running = watch.run(stopped.signal, () => undefined);
    await clock.advance(1_000);
    expect(retrier.problem()).toMatchObject({ operation: "freshness", failure: "misconfigured" });

    backlog.ended(0);
    isTableThere = true;
    await clock.advance(1_000);

    expect(retrier.problem()).toBeNull();
    expect(inserted).toEqual([]);
    stopped.abort();
    await running;
  });
});
