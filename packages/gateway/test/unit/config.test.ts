import { describe, expect, it } from "@jest/globals";
import { ConfigError, readConfigGroups } from "@push-reports/service-kit";
import { GATEWAY_OPTION_GROUPS } from "../../src/config.js";

const read = (environment: Record<string, string>) =>
  readConfigGroups(GATEWAY_OPTION_GROUPS, environment, () => "");

describe("the gateway's configuration", () => {
  it("needs nothing but the brokers", () => {
    const { gateway, kafka } = read({ KAFKA_BROKERS: "kafka:9092" });
    expect(gateway).toMatchObject({ httpPort: 8080, operationsPort: 8081, maxBodyBytes: 16_384 });
    expect(kafka).toMatchObject({ brokers: ["kafka:9092"], topic: "push-reports" });
  });

  it("keeps idle connections longer than load balancers do, and stops within its deadline", () => {
    const { gateway } = read({ KAFKA_BROKERS: "kafka:9092" });
    expect(gateway.keepAliveMs).toBeGreaterThan(60_000);
    expect(gateway.shutdownDelayMs + gateway.answerDeadlineMs).toBeLessThan(
      gateway.shutdownTimeoutMs,
    );
  });

  it("refuses a broker by its IPv6 address, which kafkajs cannot reach", () => {
    expect(() => read({ KAFKA_BROKERS: "kafka:9092,[::1]:9092" })).toThrow(ConfigError);
  });

  it("names every fault at once", () => {
    const faults = (() => {
      try {
        read({ KAFKA_BROKERS: "", HTTP_PORT: "eighty", LANES: "9", COMPRESSION: "zip" });
      } catch (error) {
        if (error instanceof ConfigError) return error.faults;
      }
      return [];
    })();
    expect(faults.map((fault) => fault.split(" ")[0]).toSorted()).toEqual([
      "COMPRESSION",
      "HTTP_PORT",
      "KAFKA_BROKERS",
      "LANES",
    ]);
  });
});
