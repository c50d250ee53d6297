import { type ReportWriter, type ViewsSeen, WriteError } from "../../src/report-writer.js";
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

/** Of what the builders make unless a test says otherwise. */
const DEFAULT_MONTH = "2026-01";

/** The table partition that a row is in. */
const monthOf = ({ received_at }: StoredRow) => received_at.slice(0, 7);

const NO_UUID = "00000000-0000-0000-0000-000000000000";

/** Whether the table's own checks refuse a row. */
function isRefusedByChecks(row: StoredRow): boolean {
  return row.instance_id === NO_UUID || row.report_id === NO_UUID || row.source === "";
}

/**
 * The tables `reports` and `probe`: each month of receipt is a table partition, and an insert's part of it is there as a whole or not at
 * all. Parts come one by one, and one whose table partition has seen the token inserts nothing.
 */
export class InMemoryReportWriter implements ReportWriter {
  readonly failures = new FailuresOnCommand();
  readonly probeFailures = new FailuresOnCommand();
  /** Of the question since when it remembers. */
  readonly memoryFailures = new FailuresOnCommand();
  /** Between the parts of one insert. */
  readonly partFailures = new FailuresOnCommand();
  readonly rows: StoredRow[] = [];
  /** Names of inserts, repeated ones included. */
  readonly inserts: string[] = [];
  /** As a power cut does: tokens are never synced. */
  forgetsTokens = false;
  /** When the database last started. */
  startedAt = new Date(0);
  views: ViewsSeen = { identity: "made once", changedAt: new Date(0) };
  /** Of the question which views there are. */
  readonly viewFailures = new FailuresOnCommand();
  /** How often views were given rows anew. */
  viewCompletions = 0;
  /** Number of lines of each probe. */
  readonly probes: number[] = [];
  readonly #tokens = new Set<string>();
  /** Whether the table's checks refuse a row. */
  refuses: (row: StoredRow) => boolean;
  readonly #journal: string[];

  constructor(refuses: (row: StoredRow) => boolean = isRefusedByChecks, journal: string[] = []) {
    this.refuses = refuses;
    this.#journal = journal;
  }

  async write(name: string, lines: RowLines): Promise<void> {
    if (lines.records.length === 0) return;
    await this.failures.around(async () => {
      this.inserts.push(name);
      const rows = this.#check(lines);
      this.#journal.push(`insert ${rows.length}`);
      for (const month of new Set(rows.map(monthOf)))
        await this.partFailures.around(() =>
          this.#insertPart(
            `${month} ${name}`,
            rows.filter((row) => monthOf(row) === month),
          ),
        );
    });
  }

  /** Since the beginning, or its last restart. */
  async rememberedSince(): Promise<Date> {
    return await this.memoryFailures.around(() => this.startedAt);
  }

  /** The views as they are; what is missing is told by {@link viewFailures}. */
  async viewsNow(): Promise<ViewsSeen> {
    return await this.viewFailures.around(() => this.views);
  }

  /** There are no views to complete. */
  async completeViews(): Promise<void> {
    this.viewCompletions += 1;
  }

  async probe(lines: RowLines): Promise<void> {
    await this.probeFailures.around(() => {
      this.probes.push(lines.records.length);
      this.#check(lines);
    });
  }

  /** As when the database is killed between writing an insert's token down and its rows into place: the next attempt is "repeated". */
  keepTokenWithoutRows(name: string, month = DEFAULT_MONTH): void {
    this.#tokens.add(`${month} ${name}`);
  }

  /** As after the deduplication window has moved on. */
  forgetTokens(): void {
    this.#tokens.clear();
  }

  #insertPart(token: string, rows: readonly StoredRow[]): void {
    if (!this.#tokens.has(token)) this.rows.push(...rows);
    if (!this.forgetsTokens) this.#tokens.add(token);
  }

  #check({ bytes }: RowLines): readonly StoredRow[] {
    const lines = bytes.toString().split("\n").slice(0, -1);
    const rows = lines.map((line) => JSON.parse(line) as StoredRow);
    if (rows.some(this.refuses)) throw new WriteError("bad_record", 469, "A check was violated");
    return rows;
  }
}
