import { describe, expect, it } from "@jest/globals";
import { FakeClock, nextTurn } from "@push-reports/test-support";
import { createLogger, Lifecycle, type Part, StopDeadlineError } from "../../src/index.js";

const DEADLINE_MS = 10_000;

function aLifecycle(
  ...parts: readonly { name: string; start?: () => unknown; stop?: (() => unknown) | null }[]
) {
  const clock = new FakeClock();
  const logger = createLogger({ service: "test", level: "silent" });
  const steps: string[] = [];
  const lifecycle = new Lifecycle(
    parts.map(({ name, start, stop }): Part => {
      const begin = async () => {
        steps.push(`start ${name}`);
        await start?.();
      };
      const end = async () => {
        steps.push(`stop ${name}`);
        await stop?.();
      };
      return stop === null ? { name, start: begin } : { name, start: begin, stop: end };
    }),
    { logger, clock, stopDeadlineMs: DEADLINE_MS },
  );
  return { lifecycle, steps, clock };
}

const fails = (text: string) => () => Promise.reject(new Error(text));
const never = () => new Promise(() => undefined);

describe("a lifecycle", () => {
  it("starts in order, one after the other, and stops in reverse", async () => {
    let isUp = false;
    const { lifecycle, steps } = aLifecycle(
      {
        name: "a",
        start: async () => {
          await nextTurn(3);
          isUp = true;
        },
      },
      { name: "b", start: () => expect(isUp).toBe(true) },
      { name: "c", stop: null },
    );
    await lifecycle.start();
    await lifecycle.stop();
    expect(steps).toEqual(["start a", "start b", "start c", "stop b", "stop a"]);
  });

  it("stops everything when a part does not start, and gives that part's error", async () => {
    const { lifecycle, steps } = aLifecycle(
      { name: "a" },
      { name: "b", start: fails("port in use") },
      { name: "c" },
    );
    await expect(lifecycle.start()).rejects.toThrow("port in use");
    // Also what has not started: a part's stop is safe then.
    expect(steps).toEqual(["start a", "start b", "stop c", "stop b", "stop a"]);
  });

  it("starts nothing more once a stop has begun", async () => {
    let stopping: Promise<void> | undefined;
    const { lifecycle, steps } = aLifecycle(
      {
        name: "a",
        start: async () => {
          stopping = lifecycle.stop();
          await nextTurn(3);
        },
      },
      { name: "b" },
    );
    await lifecycle.start();
    await stopping;
    expect(steps).toEqual(["start a", "stop b", "stop a"]);
  });

  it("gives the error of the start although the stop fails too", async () => {
    const { lifecycle } = aLifecycle({ name: "a", start: fails("first"), stop: fails("second") });
    await expect(lifecycle.start()).rejects.toThrow("first");
  });

  it("stops the others when one does not stop well, and gives the first error", async () => {
    const { lifecycle, steps } = aLifecycle(
      { name: "a" },
      { name: "b", stop: fails("b is stuck") },
      { name: "c", stop: fails("c is stuck") },
    );
    await lifecycle.start();
    await expect(lifecycle.stop()).rejects.toThrow("c is stuck");
    expect(steps.slice(3)).toEqual(["stop c", "stop b", "stop a"]);
  });

  it("has one deadline for all: a part that hangs does not keep the others from stopping", async () => {
    const { lifecycle, steps, clock } = aLifecycle(
      { name: "a" },
      { name: "b", stop: never },
      { name: "c", stop: () => clock.sleep(DEADLINE_MS - 1_000) },
    );
    await lifecycle.start();
    const startedAt = clock.now();
    const stopping = expect(lifecycle.stop()).rejects.toMatchObject({
      name: "StopDeadlineError",
      code: "stop_deadline",
      message: expect.stringMatching(/^b /),
    });
    await clock.advance(DEADLINE_MS);
    await stopping;
    expect(clock.now() - startedAt).toBe(DEADLINE_MS);
    expect(steps.slice(3)).toEqual(["stop c", "stop b", "stop a"]);
    expect(StopDeadlineError.name).toBe("StopDeadlineError");
  });

  it("stops once, however often it is asked to", async () => {
    const { lifecycle, steps } = aLifecycle({ name: "a" });
    await lifecycle.start();
    await Promise.all([lifecycle.stop(), lifecycle.stop()]);
    await lifecycle.stop();
    expect(steps).toEqual(["start a", "stop a"]);
  });

  it("leaves no timer behind", async () => {
    const { lifecycle, clock } = aLifecycle({ name: "a" }, { name: "b" });
    await lifecycle.start();
    await lifecycle.stop();
    expect(clock.sleepers).toBe(0);
  });
});
