import type { Ledger, LedgerEntry } from "../../src/ledger.js";
import { spanOf } from "../../src/report-range.js";
import { FailuresOnCommand } from "./failures-on-command.js";

/** The table `ledger`, with its checks. */
export class InMemoryLedger implements Ledger {
  readonly failures = new FailuresOnCommand();
  readonly entries: LedgerEntry[] = [];
  readonly #journal: string[];

  constructor(journal: string[] = []) {
    this.#journal = journal;
  }

  async endFrom(partition: number, from: number | null): Promise<number | null> {
    const ours = this.entries
      .filter((entry) => entry.partition === partition && entry.last >= (from ?? 0))
      .sort((a, b) => a.first - b.first);
    const begin = from ?? ours[0]?.first ?? null;
    if (begin === null) return null;
    return ours.reduce(
      (end, { first, last }) => (first <= end ? Math.max(end, last + 1) : end),
      begin,
    );
  }

  async close(entry: LedgerEntry): Promise<void> {
    await this.failures.around(() => {
      const { rows, setAside, repeated, absent, name } = entry;
      if (rows + setAside + repeated + absent !== spanOf(entry))
        throw new RangeError(`The counts of ${name} do not add up: ${JSON.stringify(entry)}`);
      this.#journal.push(`ledger ${entry.first}-${entry.last}`);
      if (!this.entries.some((known) => known.name === name)) this.entries.push(entry);
    });
  }
}
