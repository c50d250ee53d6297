import { describe, expect, it } from "@jest/globals";
import { FakeClock } from "@push-reports/test-support";
import { Backlog } from "../../src/backlog.js";
import { BacklogWatch } from "../../src/backlog-watch.js";
import type { LogEnds } from "../../src/record-source.js";
import { RecordedLogger } from "../fakes/recorded-logger.js";

function aWatch(ends: () => Promise<LogEnds>) {
  const clock = new FakeClock();
  const logger = new RecordedLogger();
  const watch = new BacklogWatch(
    { ends },
    new Backlog(clock),
    { publish: async () => undefined },
    { source: "test.1", intervalMs: 1_000, receiptMarginMs: 0 },
    clock,
    logger,
  );
  return { clock, watch, logger };
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
});
