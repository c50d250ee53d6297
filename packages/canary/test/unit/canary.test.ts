import { beforeEach, describe, expect, it } from "@jest/globals";
import { createLogger } from "@push-reports/service-kit";
import { FakeClock } from "@push-reports/test-support";
import { Registry } from "prom-client";
import { Canary } from "../../src/canary.js";
import { createCanaryMetrics } from "../../src/metrics.js";
import type { CanaryAnswer } from "../../src/send-canary.js";

const OPTIONS = { reports: 3, intervalMs: 60_000, missingAfterMs: 120_000 };

describe("The canary", () => {
  let clock: FakeClock;
  let registry: Registry;
  let answer: CanaryAnswer;
  /** Reports that became rows, and when; null while the database is away. */
  let rows: Set<string> | null;
  let sent: string[];

  beforeEach(() => {
    clock = new FakeClock();
    registry = new Registry();
    answer = "accepted";
    rows = new Set();
    sent = [];
  });

  const launch = async (options = OPTIONS) => {
    const canary = new Canary(
      {
        send: async (deviceId) => {
          sent.push(deviceId);
          return answer;
        },
        rowsAmong: async (deviceIds) => {
          if (rows === null) throw new Error("The database is away");
          return deviceIds
            .filter((deviceId) => rows?.has(deviceId))
            .map((deviceId) => ({ deviceId, partition: sent.indexOf(deviceId) % 3 }));
        },
        metrics: createCanaryMetrics(registry),
        clock,
        logger: createLogger({ service: "test", level: "silent" }),
      },
      options,
    );
    await canary.start();
    await clock.advance(0);
    return canary;
  };
  const series = async (name: string) => {
    const text = await registry.metrics();
    const line = text.split("\n").find((one) => one.startsWith(`push_reports_canary_${name} `));
    return Number(line?.split(" ").at(-1));
  };
  const outcomes = (outcome: string) => series(`reports_total{outcome="${outcome}"}`);

  it("sends no more while too many wait, as when the database is away for long", async () => {
    rows = null;
    const canary = await launch({ ...OPTIONS, reports: 6_000 });
    expect(sent).toHaveLength(5_000);
    await clock.advance(60_000);
    expect(sent).toHaveLength(5_000);

    rows = new Set(sent);
    await clock.advance(500);
    await clock.advance(60_000);
    expect(sent.length).toBeGreaterThan(5_000);
    await canary.stop();
  });

  it("sends a round a minute, and measures from the request to the row", async () => {
    const canary = await launch();
    expect(sent).toHaveLength(3);
    await clock.advance(2_000);
    expect(await series("waiting_reports")).toBe(3);
    expect(await series("oldest_waiting_seconds")).toBe(2);
    rows = new Set(sent);
    await clock.advance(500);

    expect(await outcomes("queryable")).toBe(3);
    expect(await series("waiting_reports")).toBe(0);
    expect(await series("oldest_waiting_seconds")).toBe(0);
    expect(await series("partitions")).toBe(3);
    expect(await series('queryable_seconds_bucket{le="1"}')).toBe(0);
    expect(await series('queryable_seconds_bucket{le="5"}')).toBe(3);
    await clock.advance(60_000);
    expect(sent).toHaveLength(6);
    await canary.stop();
  });

  it.each(["refused", "unanswered"] as const)(
    "counts what is %s, and waits for none of it",
    async (how) => {
      answer = how;
      const canary = await launch();
      await clock.advance(600);

      expect(await outcomes(how)).toBe(3);
      expect(await series("waiting_reports")).toBe(0);
      await canary.stop();
    },
  );

  it("counts as missing what is no row for long, once", async () => {
    const canary = await launch();
    await clock.advance(119_000);
    expect(await outcomes("missing")).toBe(0);
    await clock.advance(2_000);

    expect(await outcomes("missing")).toBe(3);
    await canary.stop();
  });

  it("calls nothing missing while it cannot look, and finds it afterwards", async () => {
    rows = null;
    const canary = await launch();
    await clock.advance(180_000);
    expect(await outcomes("missing")).toBe(0);
    expect(await series("oldest_waiting_seconds")).toBeGreaterThan(170);
    rows = new Set(sent);
    await clock.advance(500);

    expect(await outcomes("missing")).toBe(0);
    expect(await outcomes("queryable")).toBe(sent.length);
    await canary.stop();
  });
});
