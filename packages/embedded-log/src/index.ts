export { checkEmbeddedLog } from "./check-embedded-log.js";
export type { EmbeddedLog, LogEntry, LogRecord, ReadLimits } from "./embedded-log.js";
export { isDamage, LogError, type LogErrorCode } from "./log-error.js";
export { type EmbeddedLogOptions, openEmbeddedLog } from "./open-embedded-log.js";
