import { describe, expect, it } from "@jest/globals";
import { readConfig } from "@push-reports/service-kit";
import { CONSUMER_OPTIONS } from "../../src/config.js";

describe("the consumer's configuration", () => {
  const faultsOf = (environment: Readonly<Record<string, string>>) => {
    try {
      readConfig(CONSUMER_OPTIONS, { KAFKA_GROUP_ID: "group", ...environment }, () => "");
      return "";
    } catch (error) {
      return String(error);
    }
  };

  it("is whole with nothing but a group", () => {
    expect(faultsOf({})).toBe("");
  });

  it.each([
    [{ STALL_TIMEOUT_MS: "59999" }, "INSERT_TIMEOUT_MS"],
    [{ KAFKA_REQUEST_TIMEOUT_MS: "20001" }, "KAFKA_REQUEST_TIMEOUT_MS"],
    [
      { STALL_TIMEOUT_MS: "5999", KAFKA_REQUEST_TIMEOUT_MS: "1000", INSERT_TIMEOUT_MS: "2000" },
      "6 times",
    ],
  ])("refuses %j: what still may succeed would count as a stall", (environment, named) => {
    expect(faultsOf(environment)).toMatch(
      new RegExp(`STALL_TIMEOUT_MS must be at least.*${named}`),
    );
  });

  it("takes a stall that is just as long as the longest wait", () => {
    expect(
      faultsOf({
        STALL_TIMEOUT_MS: "6000",
        KAFKA_REQUEST_TIMEOUT_MS: "1000",
        INSERT_TIMEOUT_MS: "3000",
      }),
    ).toBe("");
  });

  it("takes no longer window of records than can be gone through for each range", () => {
    expect(faultsOf({ BAD_WINDOW_RECORDS: "100000" })).toBe("");
    expect(faultsOf({ BAD_WINDOW_RECORDS: "100001" })).toMatch(/BAD_WINDOW_RECORDS.*100000/);
  });
});
