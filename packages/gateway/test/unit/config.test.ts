import { describe, expect, it } from "@jest/globals";
import { ConfigError, readConfigGroups } from "@push-reports/service-kit";
import { GATEWAY_OPTION_GROUPS } from "../../src/config.js";
import { stopAnswersMs } from "../../src/stop-times.js";

const read = (environment: Record<string, string>) =>
  readConfigGroups(GATEWAY_OPTION_GROUPS, environment, () => "");

const faultsOf = (environment: Record<string, string>): readonly string[] => {
  try {
    read(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
  }
  return [];
};

describe("the gateway's configuration", () => {
  it("needs nothing but the brokers", () => {
    const { gateway, kafka } = read({ KAFKA_BROKERS: "kafka:9092" });
    expect(gateway).toMatchObject({ httpPort: 8080, operationsPort: 8081, maxBodyBytes: 16_384 });
    expect(kafka).toMatchObject({ brokers: ["kafka:9092"], topic: "push-reports" });
  });

  it("keeps idle connections longer than load balancers do, and stops within its deadline", () => {
    const { gateway } = read({ KAFKA_BROKERS: "kafka:9092" });
    expect(gateway.keepAliveMs).toBeGreaterThan(60_000);
    expect(stopAnswersMs(gateway)).toBeGreaterThan(gateway.answerDeadlineMs);
    expect(gateway.shutdownDelayMs + stopAnswersMs(gateway)).toBeLessThan(
      gateway.shutdownTimeoutMs,
    );
  });

  it("refuses a broker by its IPv6 address, which kafkajs cannot reach", () => {
    expect(() => read({ KAFKA_BROKERS: "kafka:9092,[::1]:9092" })).toThrow(ConfigError);
  });

  it("gives a stop the time to read what is half sent, to answer all that was taken, and to close", () => {
    const stop = { SHUTDOWN_DELAY_MS: "1000", ANSWER_DEADLINE_MS: "4000" };
    const faults = (timeoutMs: string) =>
      faultsOf({ KAFKA_BROKERS: "kafka:9092", ...stop, SHUTDOWN_TIMEOUT_MS: timeoutMs });
    expect(faults("6999")).toEqual([
      "SHUTDOWN_TIMEOUT_MS (6999) must be at least 7000, or what is under way is cut: SHUTDOWN_DELAY_MS (1000), 1000 for what is half sent, ANSWER_DEADLINE_MS (4000), and 1000 to close",
    ]);
    expect(faults("7000")).toEqual([]);
  });

  it("gives each server a port of its own, told with all other faults", () => {
    const ports = (HTTP_PORT: string, OPERATIONS_PORT: string) =>
      faultsOf({ KAFKA_BROKERS: "kafka:9092", HTTP_PORT, OPERATIONS_PORT, LANES: "9" });
    expect(ports("9000", "9000")).toEqual([
      expect.stringMatching(/^LANES /),
      "HTTP_PORT and OPERATIONS_PORT are the same, 9000: each needs a port of its own",
    ]);
    expect(ports("0", "0")).toHaveLength(1);
  });

  it("names every fault at once", () => {
    const environment = { KAFKA_BROKERS: "", HTTP_PORT: "eighty", LANES: "9", COMPRESSION: "zip" };
    const faults = faultsOf(environment);
    expect(faults.map((fault) => fault.split(" ")[0]).toSorted()).toEqual([
      "COMPRESSION",
      "HTTP_PORT",
      "KAFKA_BROKERS",
      "LANES",
    ]);
  });
});
