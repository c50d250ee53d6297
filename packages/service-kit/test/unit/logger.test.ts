import { describe, expect, it } from "@jest/globals";
import { createLogger, type LogLevel } from "../../src/index.js";

function aLogger(level: LogLevel = "debug") {
  const lines: string[] = [];
  const logger = createLogger({ service: "gateway", level }, { write: (line) => lines.push(line) });
  return { logger, lines, logged: () => lines.map((line) => JSON.parse(line) as unknown) };
}

describe("a logger", () => {
  it("writes one line of JSON an event, with time, level, service, event and fields", () => {
    const { logger, lines, logged } = aLogger();
    logger.info("started", { port: 8_080, text: "two\nlines" });
    logger.warn("slow");
    expect(
      lines.every((line) => line.endsWith("\n") && line.indexOf("\n") === line.length - 1),
    ).toBe(true);
    expect(logged()).toMatchObject([
      { level: "info", service: "gateway", event: "started", port: 8_080, text: "two\nlines" },
      { level: "warn", service: "gateway", event: "slow" },
    ]);
    const [first] = logged() as { time: string }[];
    expect(new Date(first?.time ?? "").toISOString()).toBe(first?.time);
  });

  it.each([
    ["debug", 4],
    ["info", 3],
    ["warn", 2],
    ["error", 1],
    ["silent", 0],
  ] as const)("at level %s writes %i of the four levels", (level, count) => {
    const { logger, lines } = aLogger(level);
    logger.debug("a");
    logger.info("b");
    logger.warn("c");
    logger.error("d");
    expect(lines).toHaveLength(count);
  });

  it("writes an error's name, code, message and causes, without its stack", () => {
    const { logger, logged, lines } = aLogger();
    const cause = Object.assign(new TypeError("reset"), { code: "ECONNRESET" });
    logger.error("failed", { error: new Error("The insert failed", { cause }) });
    expect(logged()).toMatchObject([
      {
        error: {
          name: "Error",
          message: "The insert failed",
          cause: { name: "TypeError", code: "ECONNRESET", message: "reset" },
        },
      },
    ]);
    expect(lines[0]).not.toContain("stack");
  });

  it("comes to an end with causes that go round in a circle, and takes what is no error", () => {
    const { logger, logged } = aLogger();
    const error = new Error("round");
    error.cause = error;
    logger.error("circle", { error });
    logger.error("thrown", { error: "just text" });
    expect(logged()).toMatchObject([{ event: "circle" }, { error: "just text" }]);
  });
});
