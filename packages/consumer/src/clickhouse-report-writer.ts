import type { ClickHouseStatements } from "./clickhouse-statements.js";
import type { ReportWriter } from "./report-writer.js";
import type { RowLines } from "./row-lines.js";

/** Inserts into `reports`; probes against `probe`, which has the same columns and constraints and keeps nothing. */
export class ClickHouseReportWriter implements ReportWriter {
  readonly #statements: ClickHouseStatements;

  constructor(statements: ClickHouseStatements) {
    this.#statements = statements;
  }

  async write(name: string, lines: RowLines): Promise<void> {
    if (lines.records.length > 0) await this.#statements.insert("reports", name, lines.bytes);
  }

  async probe(lines: RowLines): Promise<void> {
    if (lines.records.length > 0) await this.#statements.insert("probe", "", lines.bytes);
  }
}
