import { describe, expect, it } from "@jest/globals";
import { FakeClock } from "@push-reports/test-support";
import { repeatPassing } from "../../src/repeat-passing.js";
import { WriteError, type WriteFailure } from "../../src/report-writer.js";
import { FailuresOnCommand } from "../fakes/failures-on-command.js";

const failed = (code: number, failure: WriteFailure = "passes_with_time") =>
  new WriteError(failure, code, "It failed");

function aStatement() {
  const clock = new FakeClock();
  const failures = new FailuresOnCommand();
  let attempts = 0;
  const run = () =>
    repeatPassing(() => {
      attempts += 1;
      return failures.around(() => "done");
    }, clock);
  return { clock, failures, run, attempts: () => attempts };
}

describe("a statement of a command", () => {
  it("is repeated when another insert's quorum was in its way", async () => {
    const { clock, failures, run, attempts } = aStatement();
    failures.times(3, failed(286));
    const done = run();
    for (let time = 0; time < 3; time += 1) await clock.advance(2_000);
    expect(await done).toBe("done");
    expect(attempts()).toBe(4);
  });

  it("fails with the last failure when it does not pass within two minutes", async () => {
    const { clock, failures, run, attempts } = aStatement();
    failures.times(1_000, failed(242));
    const done = run().catch((error: unknown) => error);
    for (let time = 0; time < 90; time += 1) await clock.advance(2_000);
    expect(await done).toMatchObject({ clickHouseCode: 242 });
    expect(attempts()).toBeGreaterThan(50);
  });

  it.each([
    [0, "passes_with_time", "got no answer, so that the database may still be at it"],
    [159, "passes_with_time", "took longer than it may"],
    [341, "passes_with_time", "goes on by itself"],
    [394, "passes_with_time", "was ended by somebody"],
    [60, "misconfigured", "somebody has to mend"],
    [469, "bad_record", "a row is at fault for"],
  ] as const)("is not repeated with code %i (%s), which it %s", async (code, failure, _why) => {
    const { failures, run, attempts } = aStatement();
    failures.next(failed(code, failure));
    await expect(run()).rejects.toMatchObject({ clickHouseCode: code });
    expect(attempts()).toBe(1);
  });
});
