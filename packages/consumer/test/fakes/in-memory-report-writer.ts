import { type ReportWriter, WriteError } from "../../src/report-writer.js";
import type { RowLines } from "../../src/row-lines.js";
import { FailuresOnCommand } from "./failures-on-command.js";

/** A row as its line spells it. */
export interface StoredRow {
  readonly source: string;
  readonly partition: number;
  readonly offset: number;
  readonly report_id: string;
  readonly received_at: string;
  readonly instance_id: string;
  readonly publish_id: string;
  readonly [column: string]: unknown;
}

const NO_UUID = "00000000-0000-0000-0000-000000000000";

/** Whether the table's own checks refuse a row. */
function isRefusedByChecks(row: StoredRow): boolean {
  return row.instance_id === NO_UUID || row.report_id === NO_UUID || row.source === "";
}

/** The tables `reports` and `probe`: all or nothing, and a token that was seen inserts nothing. */
export class InMemoryReportWriter implements ReportWriter {
  readonly failures = new FailuresOnCommand();
  readonly probeFailures = new FailuresOnCommand();
  readonly rows: StoredRow[] = [];
  /** Names of inserts, repeated ones included. */
  readonly inserts: string[] = [];
  /** Number of lines of each probe. */
  readonly probes: number[] = [];
  readonly #tokens = new Set<string>();
  readonly #refuses: (row: StoredRow) => boolean;
  readonly #journal: string[];

  constructor(refuses: (row: StoredRow) => boolean = isRefusedByChecks, journal: string[] = []) {
    this.#refuses = refuses;
    this.#journal = journal;
  }

  async write(name: string, lines: RowLines): Promise<void> {
    if (lines.records.length === 0) return;
    await this.failures.around(() => {
      this.inserts.push(name);
      const rows = this.#check(lines);
      this.#journal.push(`insert ${rows.length}`);
      if (!this.#tokens.has(name)) this.rows.push(...rows);
      this.#tokens.add(name);
    });
  }

  async probe(lines: RowLines): Promise<void> {
    await this.probeFailures.around(() => {
      this.probes.push(lines.records.length);
      this.#check(lines);
    });
  }

  /** As after the deduplication window has moved on. */
  forgetTokens(): void {
    this.#tokens.clear();
  }

  #check({ bytes }: RowLines): readonly StoredRow[] {
    const lines = bytes.toString().split("\n").slice(0, -1);
    const rows = lines.map((line) => JSON.parse(line) as StoredRow);
    if (rows.some(this.#refuses)) throw new WriteError("bad_record", 469, "A check was violated");
    return rows;
  }
}
