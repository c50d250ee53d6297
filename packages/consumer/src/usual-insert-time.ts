import type { Clock } from "@push-reports/service-kit";
import type { IngestObserver, IngestStep } from "./ingest-observer.js";
import type { ReportRange } from "./report-range.js";

/** Ranges that are remembered. */
const REMEMBERED = 16;

/** How long it takes lately from cutting a range until its rows can be queried: the longest of the latest few. */
export class UsualInsertTime implements IngestObserver {
  readonly #clock: Pick<Clock, "now">;
  readonly #cutAt = new Map<number, number>();
  #latest: readonly number[] = [];

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  /** Null while no range was inserted. */
  get ms(): number | null {
    return this.#latest.length === 0 ? null : Math.max(...this.#latest);
  }

  ended(partition: number): void {
    this.#cutAt.delete(partition);
  }

  async reached(step: IngestStep, { partition }: ReportRange): Promise<void> {
    const now = this.#clock.now();
    if (step === "cut") this.#cutAt.set(partition, now);
    const cutAt = this.#cutAt.get(partition);
    if (step !== "inserted" || cutAt === undefined) return;
    this.#latest = [...this.#latest, Math.max(0, now - cutAt)].slice(-REMEMBERED);
  }

  setAside(): void {
    // Part of the step.
  }

  completed(): void {
    // The step "inserted" has said so.
  }
}
