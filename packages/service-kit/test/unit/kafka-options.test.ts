import { describe, expect, it } from "@jest/globals";
import { ConfigError, type Environment, KAFKA_OPTIONS, readConfig } from "../../src/index.js";

function faultsOf(environment: Environment): readonly string[] {
  try {
    readConfig(KAFKA_OPTIONS, { KAFKA_BROKERS: "kafka:9092", ...environment }, () => "");
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}

const SASL = "KAFKA_SASL_MECHANISM needs KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD";

describe("how Kafka is reached", () => {
  it.each<[Environment, readonly string[]]>([
    [{}, []],
    [{ KAFKA_SASL_MECHANISM: "plain" }, [SASL]],
    [{ KAFKA_SASL_MECHANISM: "plain", KAFKA_SASL_USERNAME: "u" }, [SASL]],
    [{ KAFKA_SASL_MECHANISM: "plain", KAFKA_SASL_USERNAME: "u", KAFKA_SASL_PASSWORD: "" }, [SASL]],
    [{ KAFKA_SASL_MECHANISM: "plain", KAFKA_SASL_USERNAME: "u", KAFKA_SASL_PASSWORD: "p" }, []],
    ...["kafka:0", "kafka:65536", "kafka:99999", "kafka:09092", "kafka", "[::1]:9092"].map(
      (broker): [Environment, readonly string[]] => [
        { KAFKA_BROKERS: broker },
        ["KAFKA_BROKERS must be host:port, comma-separated"],
      ],
    ),
    [{ KAFKA_BROKERS: "a:1,b:65535" }, []],
    [
      { KAFKA_BROKERS: "", KAFKA_SASL_MECHANISM: "plain" },
      ["KAFKA_BROKERS is empty: unset it or give a value (host:port, comma-separated)", SASL],
    ],
    [
      { KAFKA_SASL_PASSWORD: "p" },
      ["KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD need KAFKA_SASL_MECHANISM"],
    ],
  ])("cannot contradict itself: %j", (environment, faults) => {
    expect(faultsOf(environment)).toEqual(faults);
  });
});
