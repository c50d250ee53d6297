import type { JudgedRecords, JudgedStretch } from "../../src/judged-records.js";
import type { InMemoryDeadLetters } from "./in-memory-dead-letters.js";
import type { InMemoryLedger } from "./in-memory-ledger.js";

/** Reads the ledger and the dead letters of one source. */
export class InMemoryJudgedRecords implements JudgedRecords {
  readonly #ledger: Pick<InMemoryLedger, "entries">;
  readonly #deadLetters: Pick<InMemoryDeadLetters, "of">;

  constructor(
    ledger: Pick<InMemoryLedger, "entries">,
    deadLetters: Pick<InMemoryDeadLetters, "of">,
  ) {
    this.#ledger = ledger;
    this.#deadLetters = deadLetters;
  }

  async latest(
    partition: number,
    most: { readonly records: number; readonly bad: number },
  ): Promise<readonly JudgedStretch[]> {
    const latest: JudgedStretch[] = [];
    const bad = this.#deadLetters
      .of(partition)
      .map(({ record }) => record.offset)
      .slice(-most.bad);
    const entries = this.#ledger.entries
      .filter((entry) => entry.partition === partition && entry.absent <= entry.last - entry.first)
      .sort((a, b) => b.first - a.first);
    let records = 0;
    for (const { first, last, cutAt } of entries) {
      if (records >= most.records) break;
      records += last - first + 1;
      const badOffsets = bad.filter((offset) => offset >= first && offset <= last);
      latest.unshift({ partition, first, last, judgedAt: cutAt.getTime(), badOffsets });
    }
    return latest;
  }
}
