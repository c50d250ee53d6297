import { ClickHouseError } from "@clickhouse/client";
import { describe, expect, it } from "@jest/globals";
import { clickHouseAnswerOf } from "../../src/clickhouse-answer.js";

const violated = { message: "Constraint is violated", code: "469", type: "VIOLATED_CONSTRAINT" };

describe("an answer of the database", () => {
  it("is recognised whichever copy of the client's class it comes as", () => {
    // The connection of chDB throws a class of its own.
    const copied = Object.assign(new (class ClickHouseError extends Error {})("violated"), {
      code: "469",
      type: "VIOLATED_CONSTRAINT",
    });
    expect(clickHouseAnswerOf(new ClickHouseError(violated))).toMatchObject({
      code: 469,
      type: "VIOLATED_CONSTRAINT",
    });
    expect(clickHouseAnswerOf(copied)).toEqual({
      code: 469,
      type: "VIOLATED_CONSTRAINT",
      message: "violated",
    });
  });

  it.each([
    Object.assign(new Error("reset"), { code: "ECONNRESET" }),
    new Error("Timeout error."),
    "text",
    null,
  ])("is not seen in %p", (error) => {
    expect(clickHouseAnswerOf(error)).toBeNull();
  });
});
