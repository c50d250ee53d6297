import { describe, expect, it } from "@jest/globals";
import { addressSettings, statementSettings } from "../../src/sql/sql-settings.js";

const BOUNDS = { maxExecutionSecs: 30, maxMemoryBytes: 1_000, maxResultBytes: 500, maxThreads: 2 };

describe("Settings of a query", () => {
  it("in the address are bounded by ours, and what means nothing here is passed over", () => {
    const wishes = Object.entries({
      max_execution_time: "600",
      max_memory_usage: "0",
      max_result_bytes: "100",
      final: "1",
      readonly: "0",
      session_id: "x",
    });

    expect(Object.fromEntries(addressSettings(wishes, BOUNDS))).toEqual({
      max_execution_time: "30",
      max_memory_usage: "1000",
      max_result_bytes: "100",
      final: "1",
    });
  });

  it("in a statement must be within ours, each time they come", () => {
    const wishes = [
      ["max_threads", "1"],
      ["final", "true"],
    ] as const;

    expect([...statementSettings(wishes, BOUNDS)]).toEqual(wishes);
    for (const [name, value] of [
      ["max_threads", "3"],
      ["max_threads", "0"],
      ["max_execution_time", "-1"],
      ["max_execution_time", "x"],
      ["readonly", "1"],
    ] as const)
      expect(() => statementSettings([[name, value], ...wishes], BOUNDS)).toThrow(
        expect.objectContaining({ code: "READONLY" }),
      );
  });

  it("that are not known to be harmless are refused by name", () => {
    expect(() => addressSettings([["output_format_schema", "/tmp/x"]], BOUNDS)).toThrow(
      "Cannot modify 'output_format_schema' setting in readonly mode",
    );
  });
});
