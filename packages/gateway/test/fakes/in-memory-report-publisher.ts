import type { ReportRecord } from "@push-reports/report";
import type { Kept, PublishError, ReportPublisher } from "../../src/report-publisher.js";

/** Keeps records in memory, or refuses them as it is told. */
export class InMemoryReportPublisher implements ReportPublisher {
  readonly records: ReportRecord[] = [];
  /** Thrown instead of taking a record, while set. */
  refusal: PublishError | Error | null = null;
  /** Records wait for this before they are taken. */
  gate: Promise<void> = Promise.resolve();
  kept: Kept = "published";

  /** The records' values, parsed. */
  get rows(): readonly Record<string, unknown>[] {
    return this.records.map(({ value }) => JSON.parse(value.toString()) as Record<string, unknown>);
  }

  async publish(record: ReportRecord): Promise<Kept> {
    await this.gate;
    if (this.refusal !== null) throw this.refusal;
    this.records.push(record);
    return this.kept;
  }

  isHealthy(): boolean {
    return this.refusal === null;
  }
}
