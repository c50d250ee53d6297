export { plainReceivedAtMs } from "./received-at.js";
export * from "./report.js";
export * from "./report-record.js";
