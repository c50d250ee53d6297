import { LOG_LEVELS, type LogLevel } from "./logger.js";
import { choiceOption, integerOption, type Option } from "./options.js";

/** The port of a service's {@link OperationsServer}. */
export function operationsPortOption(fallback: number): Option<number> {
  return integerOption({
    name: "OPERATIONS_PORT",
    about: "Port of /livez, /readyz and /metrics.",
    unit: "port",
    min: 0,
    max: 65_535,
    fallback,
  });
}

/** The bound of a service's stop, ms. @param about what becomes of that which has not ended by then. */
export function shutdownTimeoutOption(about: string, fallback: number): Option<number> {
  return integerOption({
    name: "SHUTDOWN_TIMEOUT_MS",
    about,
    unit: "ms",
    min: 1_000,
    max: 600_000,
    fallback,
  });
}

/** What a service or a command writes to its log. */
export function logLevelOption(fallback: LogLevel): Option<LogLevel> {
  return choiceOption({
    name: "LOG_LEVEL",
    about: "The least serious lines that are written.",
    choices: LOG_LEVELS,
    fallback,
  });
}
