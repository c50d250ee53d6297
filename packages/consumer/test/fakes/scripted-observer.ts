import type { IngestObserver, IngestStep, RangeCounts } from "../../src/ingest-observer.js";
import type { ReportRange } from "../../src/report-range.js";
import type { BadRecord } from "../../src/row-lines.js";

/** What a range came to. */
export interface Completion {
  readonly range: ReportRange;
  readonly counts: RangeCounts;
  readonly rowBytes: number;
}

/** Writes down what it hears and lets a test act at each step. */
export class ScriptedObserver implements IngestObserver {
  readonly completions: Completion[] = [];
  readonly badRecords: BadRecord[] = [];
  readonly #journal: string[];
  readonly #act: (step: IngestStep, range: ReportRange, count: number) => void;
  #count = 0;

  /** @param act called at each step with its number, from 1; what it throws ends the process. */
  constructor(
    act: (step: IngestStep, range: ReportRange, count: number) => void = () => undefined,
    journal: string[] = [],
  ) {
    this.#act = act;
    this.#journal = journal;
  }

  async reached(step: IngestStep, range: ReportRange): Promise<void> {
    this.#journal.push(`step ${step}`);
    this.#count += 1;
    this.#act(step, range, this.#count);
  }

  setAside(bad: readonly BadRecord[]): void {
    this.badRecords.push(...bad);
  }

  completed(range: ReportRange, counts: RangeCounts, rowBytes: number): void {
    this.completions.push({ range, counts, rowBytes });
  }
}
