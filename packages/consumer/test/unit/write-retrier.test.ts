import { describe, expect, it } from "@jest/globals";
import { CLOCK_START, FakeClock, nextTurn } from "@push-reports/test-support";
import { EpochEndedError } from "../../src/record-source.js";
import { WriteError, type WriteFailure } from "../../src/report-writer.js";
import { WriteRetrier } from "../../src/write-retrier.js";
import { FailuresOnCommand } from "../fakes/failures-on-command.js";
import { RecordedLogger } from "../fakes/recorded-logger.js";

const half = () => 0;
const failed = (failure: WriteFailure, code = 1) => new WriteError(failure, code, "It failed");

function aRetrier() {
  const clock = new FakeClock();
  const logger = new RecordedLogger();
  const retries: string[] = [];
  const retrier = new WriteRetrier(
    clock,
    logger,
    {
      passing: { initialMs: 100, maxMs: 400, random: half },
      misconfigured: { initialMs: 10_000, maxMs: 10_000, random: half },
    },
    {
      retried: (operation, failure, partition) =>
        retries.push(`${operation} ${failure} ${partition}`),
    },
  );
  const epoch = new AbortController();
  const failures = new FailuresOnCommand();
  let attempts = 0;
  const run = () =>
    retrier.run("insert", { partition: 3, ended: epoch.signal }, () => {
      attempts += 1;
      return failures.around(() => "written");
    });
  return { clock, logger, retries, retrier, epoch, failures, run, attempts: () => attempts };
}

describe("a write retrier", () => {
  it("gives what the first attempt gives, at once", async () => {
    const { run, attempts, retrier, retries } = aRetrier();

    expect(await run()).toBe("written");
    expect(attempts()).toBe(1);
    expect(retrier.problem()).toBeNull();
    expect(retries).toEqual([]);
  });

  it("repeats what passes with time, with growing and bounded delays, until it succeeds", async () => {
    const { run, failures, clock, attempts, retries, logger } = aRetrier();
    failures.times(5, failed("passes_with_time", 210));
    const written = run();
    for (const [delayMs, count] of [
      [50, 2],
      [100, 3],
      [200, 4],
      [200, 5],
      [200, 6],
    ] as const) {
      await clock.advance(delayMs - 1);
      expect(attempts()).toBe(count - 1);
      await clock.advance(1);
      expect(attempts()).toBe(count);
    }

    expect(await written).toBe("written");
    expect(retries).toEqual(Array(5).fill("insert passes_with_time 3"));
    expect(logger.of("write_retry")).toHaveLength(5);
    expect(logger.of("write_retry")[1]).toMatchObject({
      level: "warn",
      fields: { operation: "insert", attempt: 2, delayMs: 100, clickHouseCode: 210 },
    });
  });

  it("leaves a bad record to the caller", async () => {
    const { run, failures, retrier } = aRetrier();
    const error = failed("bad_record", 469);
    failures.next(error);

    await expect(run()).rejects.toBe(error);
    expect(retrier.problem()).toBeNull();
  });

  it.each(["ledger", "dead_letters", "look_up"] as const)(
    "blames no record for a code that it does not know when it is about %s, and tries again slowly",
    async (operation) => {
      const { retrier, epoch, failures, clock, logger } = aRetrier();
      failures.next(failed("bad_record", 602));
      const written = retrier.run(operation, { partition: 3, ended: epoch.signal }, () =>
        failures.around(() => "written"),
      );

      await clock.advance(10_000);
      expect(await written).toBe("written");
      expect(logger.of("misconfigured")).toHaveLength(1);
    },
  );

  it("does not repeat an error that says nothing about the write", async () => {
    const { run, failures, attempts } = aRetrier();
    failures.next(new TypeError("a defect"));

    await expect(run()).rejects.toThrow(TypeError);
    expect(attempts()).toBe(1);
  });

  it("tries slowly while the database is misconfigured, and says so once a minute", async () => {
    const { run, failures, clock, attempts, logger } = aRetrier();
    failures.times(30, failed("misconfigured", 60));
    const written = run();

    await clock.advance(59_999);
    expect(attempts()).toBe(12);
    expect(logger.of("misconfigured")).toHaveLength(1);
    expect(logger.of("misconfigured")[0]).toMatchObject({
      level: "error",
      fields: { operation: "insert", clickHouseCode: 60 },
    });

    await clock.advance(1);
    expect(logger.of("misconfigured")).toHaveLength(2);
    await clock.advance(90_001);
    expect(await written).toBe("written");
    expect(logger.of("misconfigured")).toHaveLength(3);
  });

  it("tells what is wrong and since when, the misconfiguration first, until it is over", async () => {
    const { run, failures, clock, retrier, epoch } = aRetrier();
    const away = new FailuresOnCommand();
    away.times(3, failed("passes_with_time", 210));
    failures.next(failed("misconfigured", 60));
    const asked = retrier.run("look_up", { partition: 3, ended: epoch.signal }, () =>
      away.around(() => 1),
    );
    await nextTurn();
    expect(retrier.problem()).toMatchObject({ operation: "look_up", since: CLOCK_START });
    await clock.advance(60);
    const written = run();
    await nextTurn();

    expect(retrier.problem()).toMatchObject({
      operation: "insert",
      failure: "misconfigured",
      clickHouseCode: 60,
      since: CLOCK_START + 60,
    });

    await clock.advance(10_000);
    expect([await asked, await written]).toEqual([1, "written"]);
    expect(retrier.problem()).toBeNull();
  });

  it("ends with the epoch while it waits for the next attempt", async () => {
    const { run, failures, epoch, attempts, retrier } = aRetrier();
    failures.next(failed("passes_with_time"));
    const written = run();
    await nextTurn();
    const ended = new EpochEndedError(3);
    epoch.abort(ended);

    await expect(written).rejects.toBe(ended);
    expect(attempts()).toBe(1);
    expect(retrier.problem()).toBeNull();
  });

  it("ends with the epoch while an attempt is under way, without waiting for it", async () => {
    const { run, failures, epoch } = aRetrier();
    const { release } = failures.hold();
    const written = run();
    const ended = new EpochEndedError(3);
    epoch.abort(ended);

    await expect(written).rejects.toBe(ended);
    release();
  });

  it("ignores what becomes of an attempt that it no longer waits for", async () => {
    const { run, failures, epoch } = aRetrier();
    failures.next(failed("passes_with_time"));
    const { release } = failures.hold();
    const written = run();
    epoch.abort(new EpochEndedError(3));
    await expect(written).rejects.toThrow(EpochEndedError);

    release();
    await nextTurn(2);
  });

  it("begins nothing once the epoch has ended", async () => {
    const { run, epoch, attempts } = aRetrier();
    epoch.abort(new EpochEndedError(3));

    await expect(run()).rejects.toThrow(EpochEndedError);
    expect(attempts()).toBe(0);
  });

  it("knows and tells a misconfiguration of what its caller repeats, until an attempt does not meet it", async () => {
    const { retrier, failures, logger, clock } = aRetrier();
    const publish = () => retrier.once("freshness", () => failures.around(() => "published"));
    failures.times(3, failed("misconfigured", 60));
    for (let attempt = 0; attempt < 3; attempt += 1) {
      await expect(publish()).rejects.toMatchObject({ clickHouseCode: 60 });
      expect(retrier.problem()).toMatchObject({ operation: "freshness", since: CLOCK_START });
      await clock.advance(25_000);
    }
    expect(logger.of("misconfigured")).toHaveLength(1);
    expect(await publish()).toBe("published");
    expect(retrier.problem()).toBeNull();
    failures.next(failed("misconfigured", 60));
    failures.next(failed("passes_with_time", 210));
    await expect(publish()).rejects.toMatchObject({ clickHouseCode: 60 });
    expect(logger.of("misconfigured")).toHaveLength(2);
    await expect(publish()).rejects.toMatchObject({ clickHouseCode: 210 });
    expect(retrier.problem()).toBeNull();
  });
});
