import { describe, expect, it } from "@jest/globals";
import { ConfigError, readConfigGroups } from "@push-reports/service-kit";
import { STANDALONE_OPTION_GROUPS } from "../../src/config.js";

const faultsOf = (environment: Record<string, string>): readonly string[] => {
  try {
    readConfigGroups(STANDALONE_OPTION_GROUPS, environment, () => "");
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
  }
  return [];
};

describe("standalone's configuration", () => {
  it("needs nothing", () => {
    expect(faultsOf({})).toEqual([]);
  });

  it("gives a stop the time to read what is half sent, to answer all that was taken, and to close", () => {
    const stop = { SHUTDOWN_DELAY_MS: "1000", ANSWER_DEADLINE_MS: "4000" };
    const faults = (timeoutMs: string) => faultsOf({ ...stop, SHUTDOWN_TIMEOUT_MS: timeoutMs });
    expect(faults("6999")).toEqual([
      "SHUTDOWN_TIMEOUT_MS (6999) must be at least 7000, or what is under way is cut: SHUTDOWN_DELAY_MS (1000), 1000 for what is half sent, ANSWER_DEADLINE_MS (4000), and 1000 to close",
    ]);
    expect(faults("7000")).toEqual([]);
  });
});
