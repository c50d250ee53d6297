import type { Ledger, LedgerEntry } from "../../src/ledger.js";
import { spanOf } from "../../src/report-range.js";
import { WriteError } from "../../src/report-writer.js";
import { FailuresOnCommand } from "./failures-on-command.js";

/** The table `ledger`, with its checks, as one source asks it. */
export class InMemoryLedger implements Ledger {
  readonly failures = new FailuresOnCommand();
  /** Of the question what is complete. */
  readonly endFailures = new FailuresOnCommand();
  readonly entries: LedgerEntry[] = [];
  /** As a power cut does: tokens are never synced. */
  forgetsTokens = false;
  readonly #tokens = new Set<string>();
  readonly #source: string;
  readonly #journal: string[];

  constructor(source: string, journal: string[] = []) {
    this.#source = source;
    this.#journal = journal;
  }

  async endFrom(partition: number, from: number | null): Promise<number | null> {
    return await this.endFailures.around(() => this.#endFrom(partition, from));
  }

  async close(entry: LedgerEntry, { mayBeBooked = false } = {}): Promise<void> {
    await this.failures.around(() => {
      const { rows, setAside, repeated, absent, name } = entry;
      if (rows + setAside + repeated + absent !== spanOf(entry))
        throw new WriteError("bad_record", 469, `The counts of ${name} do not add up`);
      const { partition, first, last } = entry;
      this.#journal.push(`ledger ${first}-${last}`);
      if (mayBeBooked && (this.#endFrom(partition, first) ?? 0) > last) return;
      if (!this.#tokens.has(name)) this.entries.push(entry);
      if (!this.forgetsTokens) this.#tokens.add(name);
    });
  }

  /** As after the deduplication window has moved on. */
  forgetTokens(): void {
    this.#tokens.clear();
  }

  #endFrom(partition: number, from: number | null): number | null {
    const ours = this.entries
      .filter((entry) => entry.source === this.#source && entry.partition === partition)
      .filter(({ last }) => last >= (from ?? 0))
      .sort((a, b) => a.first - b.first);
    const begin = from ?? ours[0]?.first ?? null;
    if (begin === null) return null;
    return ours.reduce(
      (end, { first, last }) => (first <= end ? Math.max(end, last + 1) : end),
      begin,
    );
  }
}
