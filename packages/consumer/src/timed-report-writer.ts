import type { Clock } from "@push-reports/service-kit";
import type { ReportWriter, ViewsSeen } from "./report-writer.js";
import type { RowLines } from "./row-lines.js";
import type { StoredStretch } from "./stored-reports.js";

/** A writer that says how long each attempt to write took. */
export class TimedReportWriter implements ReportWriter {
  readonly #writer: ReportWriter;
  readonly #clock: Clock;
  readonly #took: (seconds: number) => void;

  constructor(writer: ReportWriter, clock: Clock, took: (seconds: number) => void) {
    this.#writer = writer;
    this.#clock = clock;
    this.#took = took;
  }

  async write(name: string, lines: RowLines): Promise<void> {
    const begunAt = this.#clock.now();
    try {
      await this.#writer.write(name, lines);
    } finally {
      this.#took((this.#clock.now() - begunAt) / 1_000);
    }
  }

  async rememberedSince(): Promise<Date> {
    return await this.#writer.rememberedSince();
  }

  async viewsNow(): Promise<ViewsSeen> {
    return await this.#writer.viewsNow();
  }

  async completeViews(stretch: StoredStretch): Promise<void> {
    await this.#writer.completeViews(stretch);
  }

  async probe(lines: RowLines): Promise<void> {
    await this.#writer.probe(lines);
  }
}
