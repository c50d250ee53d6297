import type { DeadLetters, SetAside } from "../../src/dead-letters.js";
import type { BadRecord } from "../../src/row-lines.js";
import { FailuresOnCommand } from "./failures-on-command.js";

/** The table `dead_letters`, read with FINAL: one a record. */
export class InMemoryDeadLetters implements DeadLetters {
  readonly failures = new FailuresOnCommand();
  readonly #kept = new Map<string, BadRecord>();
  readonly #journal: string[];

  constructor(journal: string[] = []) {
    this.#journal = journal;
  }

  /** Offsets that were set aside, in order. */
  get offsets(): readonly number[] {
    return [...this.#kept.values()].map(({ record }) => record.offset).sort((a, b) => a - b);
  }

  /** What was set aside of a partition, in order of offset. */
  of(partition: number): readonly BadRecord[] {
    return [...this.#kept]
      .filter(([at]) => at.split("/").at(-2) === String(partition))
      .map(([, bad]) => bad)
      .sort((a, b) => a.record.offset - b.record.offset);
  }

  /** What was kept of a record, if it was set aside. */
  at(offset: number): BadRecord | undefined {
    return [...this.#kept.values()].find(({ record }) => record.offset === offset);
  }

  async setAside({ source, partition, records }: SetAside, onProgress: () => void): Promise<void> {
    await this.failures.around(() => {
      this.#journal.push(`set aside ${records.map(({ record }) => record.offset).join(",")}`);
      for (const bad of records) this.#kept.set(`${source}/${partition}/${bad.record.offset}`, bad);
    });
    onProgress();
  }
}
