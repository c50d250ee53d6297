import { describe, expect, it } from "@jest/globals";
import { misconfigurationOf } from "../../src/index.js";

/** An error as kafkajs wraps it. */
const wrapped = (properties: object) =>
  new Error("Failed", { cause: Object.assign(new Error("Connection error"), properties) });

describe("what somebody has to mend", () => {
  it.each([
    [{ type: "UNKNOWN_TOPIC_OR_PARTITION" }, "the topic does not exist"],
    [{ name: "KafkaJSSASLAuthenticationError" }, "user or password is wrong"],
    [
      { code: "SELF_SIGNED_CERT_IN_CHAIN" },
      "the brokers' certificate is not trusted: KAFKA_SSL_CA_FILE must name the authority that signed it",
    ],
    [{ code: "CERT_HAS_EXPIRED" }, "the brokers' certificate has expired"],
    [{ code: "CERT_NOT_YET_VALID" }, "the brokers' certificate is not valid yet"],
    [
      { code: "ERR_TLS_CERT_ALTNAME_INVALID" },
      "the brokers' certificate is not for the host of KAFKA_BROKERS or of an advertised listener",
    ],
    [
      { type: "ILLEGAL_SASL_STATE" },
      "the listener does not ask for SASL: unset KAFKA_SASL_MECHANISM",
    ],
    [{ code: "ECONNREFUSED" }, null],
    [{}, null],
  ])("is known from %j", (properties, reason) => {
    expect(misconfigurationOf(wrapped(properties))).toBe(reason);
  });
});
