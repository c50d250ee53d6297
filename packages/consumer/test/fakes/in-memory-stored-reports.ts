import type { RepeatCandidate, StoredReports, StoredStretch } from "../../src/stored-reports.js";
import { FailuresOnCommand } from "./failures-on-command.js";
import type { StoredRow } from "./in-memory-report-writer.js";

/** Answers from the rows that a fake writer holds. */
export class InMemoryStoredReports implements StoredReports {
  readonly failures = new FailuresOnCommand();
  /** What was received before may be gone. */
  expiry = new Date(0);
  readonly #rows: readonly StoredRow[];
  readonly #source: string;

  constructor(rows: readonly StoredRow[], source: string) {
    this.#rows = rows;
    this.#source = source;
  }

  async offsetsIn(stretch: StoredStretch): Promise<ReadonlySet<number>> {
    const { partition, first, last, receivedFrom, receivedTo } = stretch;
    return await this.failures.around(() => {
      const offsets = this.#of(partition)
        .filter(({ offset }) => offset >= first && offset <= last)
        .filter((row) => receivedAt(row) >= receivedFrom && receivedAt(row) <= receivedTo)
        .map(({ offset }) => offset);
      return new Set(offsets);
    });
  }

  async expiredBefore(): Promise<Date> {
    return this.expiry;
  }

  async repeatedAmong(
    partition: number,
    candidates: readonly RepeatCandidate[],
  ): Promise<ReadonlySet<number>> {
    return await this.failures.around(() => {
      const isBefore = (row: StoredRow, offset: number) =>
        row.source !== this.#source || (row.partition === partition && row.offset < offset);
      const isRepeated = ({ reportId, offset }: RepeatCandidate) =>
        this.#rows.some((row) => row.report_id === reportId && isBefore(row, offset));
      return new Set(candidates.filter(isRepeated).map(({ offset }) => offset));
    });
  }

  #of(partition: number): readonly StoredRow[] {
    return this.#rows.filter((row) => row.source === this.#source && row.partition === partition);
  }
}

function receivedAt({ received_at }: StoredRow): Date {
  return new Date(`${received_at.replace(" ", "T")}Z`);
}
