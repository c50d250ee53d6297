export {
  ANALYST_COMMAND_OPTION_GROUPS,
  type OpenedDatabase,
} from "./analyst-command.js";
export { clickHouseAnswerOf } from "./clickhouse-answer.js";
export { createClickHouse, IDLE_SOCKET_TTL_MS } from "./clickhouse-client.js";
export * from "./clickhouse-options.js";
export {
  COMMAND_OPTION_GROUPS,
  ERASURE_STATEMENT_SECS,
  type OperatorTools,
  operatorStatements,
  STATEMENT_SECS,
} from "./command-environment.js";
export * from "./config.js";
export { createIngestion, type IngestionMaterials } from "./create-ingestion.js";
export * from "./dead-letters.js";
export { runErase } from "./erase-command.js";
export { runImportPublishes } from "./import-publishes-command.js";
export type * from "./ingest-observer.js";
export { INGEST_OPTIONS, type IngestConfig } from "./ingest-options.js";
export type * from "./ingest-range.js";
export { Ingestion } from "./ingestion.js";
export type * from "./judged-records.js";
export type * from "./ledger.js";
export { createConsumerMetrics, createDiskGauge } from "./metrics.js";
export { type Migration, type MigrationValues, migrate, readMigrations } from "./migrations.js";
export { RecordQueue } from "./record-queue.js";
export * from "./record-source.js";
export { runReplay } from "./replay-command.js";
export type * from "./report-writer.js";
export type * from "./row-lines.js";
export { runCommand } from "./run-command.js";
export { createConsumerService } from "./service.js";
export { SharedBuffer } from "./shared-buffer.js";
export { SQL_FOLDER } from "./sql-folder.js";
export type * from "./stored-reports.js";
export { runVerify } from "./verify-command.js";
