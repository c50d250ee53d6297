import { describe, expect, it } from "@jest/globals";
import { readConfigGroups } from "@push-reports/service-kit";
import { DOCTOR_OPTION_GROUPS } from "../../src/config.js";
import { checkLimits } from "../../src/limit-checks.js";

function troubles(environment: Record<string, string>, openFiles: number | null = 100_000) {
  const given = { KAFKA_BROKERS: "kafka:9092", CLICKHOUSE_URL: "http://clickhouse:8123" };
  const config = readConfigGroups(DOCTOR_OPTION_GROUPS, { ...given, ...environment }, () => "");
  return checkLimits(config, openFiles)
    .filter(({ status }) => status !== "ok")
    .map(({ check }) => check);
}

describe("the limits", () => {
  it("fit by default", () => {
    expect(troubles({})).toEqual([]);
    expect(troubles({ TERMINATION_GRACE_PERIOD_SECONDS: "60" })).toEqual([]);
    expect(troubles({}, null)).toEqual([]);
  });

  it("do not when consumers make more inserts than the windows hold", () => {
    expect(troubles({ EXPECTED_CONSUMERS: "6" })).toEqual([]);
    expect(troubles({ EXPECTED_CONSUMERS: "7" })).toEqual(["limits: DEDUPLICATION_WINDOW"]);
  });

  it("do not when pods are killed before an insert has ended", () => {
    expect(troubles({ TERMINATION_GRACE_PERIOD_SECONDS: "30" })).toEqual([
      "limits: terminationGracePeriodSeconds",
    ]);
  });

  it("do not when a gateway may open fewer files than connections", () => {
    expect(troubles({}, 1_024)).toEqual(["limits: open files"]);
  });
});
