import type { Clock } from "@push-reports/service-kit";
import type { ClickHouseStatements } from "./clickhouse-statements.js";
import { formatTime } from "./clickhouse-time.js";
import type { ReportWriter, ViewsSeen } from "./report-writer.js";
import { completeRollUps, rollUpViewsNow } from "./roll-ups.js";
import type { RowLines } from "./row-lines.js";
import type { StoredStretch } from "./stored-reports.js";

/** Where rows go, and what they come from. */
interface WriterPlace {
  readonly database: string;
  readonly source: string;
  readonly isReplicated: boolean;
}

/** Inserts into `reports`; probes against `probe`, which has the same columns and constraints and keeps nothing. */
export class ClickHouseReportWriter implements ReportWriter {
  readonly #statements: ClickHouseStatements;
  readonly #at: WriterPlace;
  readonly #clock: Pick<Clock, "now">;

  constructor(statements: ClickHouseStatements, at: WriterPlace, clock: Pick<Clock, "now">) {
    this.#statements = statements;
    this.#at = at;
    this.#clock = clock;
  }

  async write(name: string, lines: RowLines): Promise<void> {
    if (lines.records.length > 0) await this.#statements.insert("reports", name, lines.bytes);
  }

  /** A replicated table's names are kept by Keeper, in one step with the rows, and outlive every server. */
  async rememberedSince(): Promise<Date> {
    if (this.#at.isReplicated) return new Date(0);
    const [row] = await this.#statements.select<{ secs: string }>(
      "SELECT toString(uptime()) AS secs",
      {},
    );
    return new Date(this.#clock.now() - 1_000 * Number(row?.secs ?? 0));
  }

  async viewsNow(): Promise<ViewsSeen> {
    return await rollUpViewsNow(this.#statements, this.#at.database);
  }

  async completeViews(stretch: StoredStretch): Promise<void> {
    const { partition, first, last, receivedFrom, receivedTo } = stretch;
    const { database, source } = this.#at;
    const condition = `source = {source:String} AND partition = {partition:UInt32}
      AND offset BETWEEN {first:UInt64} AND {last:UInt64}
      AND received_at BETWEEN {from:DateTime64(3, 'UTC')} AND {to:DateTime64(3, 'UTC')}`;
    await completeRollUps(this.#statements, database, condition, {
      source,
      partition,
      first,
      last,
      from: formatTime(receivedFrom),
      to: formatTime(receivedTo),
    });
  }

  async probe(lines: RowLines): Promise<void> {
    if (lines.records.length > 0) await this.#statements.insert("probe", "", lines.bytes);
  }
}
