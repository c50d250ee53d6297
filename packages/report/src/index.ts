export * from "./report.js";
export * from "./report-record.js";
