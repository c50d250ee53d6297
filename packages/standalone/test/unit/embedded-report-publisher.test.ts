import { describe, expect, it } from "@jest/globals";
import { type EmbeddedLog, LogError } from "@push-reports/embedded-log";
import { encodeReport } from "@push-reports/report";
import { aReceivedReport, FakeClock, nextTurn } from "@push-reports/test-support";
import { EmbeddedReportPublisher } from "../../src/embedded-report-publisher.js";

const ANSWER_DEADLINE_MS = 5_000;

/** A log whose disk takes a record when it is told to. */
function aSlowLog() {
  const clock = new FakeClock();
  const settle: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const log = {
    append: () =>
      new Promise<number>((resolve, reject) => {
        settle.push({ resolve: () => resolve(0), reject });
      }),
    isHealthy: () => true,
  } as unknown as EmbeddedLog;
  const limits = { answerDeadlineMs: ANSWER_DEADLINE_MS };
  return { clock, settle, publisher: new EmbeddedReportPublisher(log, limits, clock) };
}

const aRecord = () => encodeReport(aReceivedReport());

describe("a publisher to the embedded log", () => {
  it("answers within the deadline though the disk stalls, and goes on when it takes records again", async () => {
    const { clock, settle, publisher } = aSlowLog();
    const stalled = publisher.publish(aRecord());
    const outcome = expect(stalled).rejects.toMatchObject({
      name: "PublishError",
      code: "timeout",
    });
    await clock.advance(ANSWER_DEADLINE_MS);
    await outcome;

    const next = publisher.publish(aRecord());
    for (const { resolve } of settle) resolve();
    await nextTurn();
    expect(await next).toBe("published");
  });

  it("counts what the report had waited for before", async () => {
    const { clock, publisher } = aSlowLog();
    const receivedAt = new Date(clock.now() - 1_500);
    const publishing = publisher.publish(encodeReport(aReceivedReport({ receivedAt })));
    let isOver = false;
    publishing.catch(() => {
      isOver = true;
    });
    await clock.advance(ANSWER_DEADLINE_MS - 1_800);
    expect(isOver).toBe(false);
    await clock.advance(300);

    expect(isOver).toBe(true);
  });

  it("says what the disk said when that came in time", async () => {
    const { settle, publisher } = aSlowLog();
    const publishing = publisher.publish(aRecord());
    settle[0]?.reject(new LogError("log_full", "full"));

    await expect(publishing).rejects.toMatchObject({ name: "PublishError", code: "overloaded" });
  });
});
