import type { Clock } from "@push-reports/service-kit";
import type { IngestObserver, IngestStep } from "./ingest-observer.js";
import type { Awaited } from "./record-source.js";
import type { ReportRange } from "./report-range.js";

/** What a partition's ingestion can be at. It is at exactly one of them at any time. */
export type Activity =
  /** Waits for records that the log has; for memory or an insert that other partitions have just now; or for records nobody has sent. */
  | Awaited
  /** Makes rows of records, and sets aside those that become none. */
  | "encode"
  /** Waits for the database to take rows and the ledger's line. */
  | "insert"
  /** Waits for the log to take an intent or a position. */
  | "commit"
  /** Has no partition because the group deals them out anew, or finds out where to begin. */
  | "rebalance"
  /** Waits because too many records are bad. */
  | "held";

/** What begins when a step was reached. */
const AFTER: Readonly<Record<IngestStep, Activity>> = {
  cut: "commit",
  intent_committed: "encode",
  set_aside: "insert",
  inserted: "insert",
  ledger_written: "commit",
  committed: "idle",
};

interface At {
  activity: Activity;
  since: number;
}

/** Says of every second of every partition what it was spent on. */
export class ActivityClock implements IngestObserver {
  readonly #clock: Clock;
  readonly #spend: (activity: Activity, seconds: number) => void;
  readonly #isBehind: (partition: number) => boolean;
  readonly #isHeld: () => boolean;
  readonly #at = new Map<number, At>();

  /**
   * @param spend hears of time that has passed.
   * @param isBehind whether a look at the log has shown records that an idle partition does not know of.
   * @param isHeld whether nothing is taken because too many records are bad.
   */
  constructor(
    clock: Clock,
    spend: (activity: Activity, seconds: number) => void,
    isBehind: (partition: number) => boolean,
    isHeld: () => boolean,
  ) {
    this.#clock = clock;
    this.#spend = spend;
    this.#isBehind = isBehind;
    this.#isHeld = isHeld;
  }

  /** The group has dealt out the partitions: those that are not ours any more are no longer waited for. */
  joined(): void {
    this.tick();
    this.#at.clear();
  }

  assigned(partition: number): void {
    this.#switch(partition, "rebalance");
  }

  /** What was under way in an earlier epoch is fetched first. */
  started(partition: number): void {
    this.#switch(partition, "fetch");
  }

  awaits(partition: number, awaited: Awaited): void {
    this.#switch(partition, awaited);
  }

  ended(partition: number): void {
    this.#switch(partition, "rebalance");
  }

  async reached(step: IngestStep, { partition }: ReportRange): Promise<void> {
    this.#switch(partition, AFTER[step]);
  }

  setAside(): void {
    // Part of the step.
  }

  completed(): void {
    // The step "committed" has said so.
  }

  /** Accounts for the time up to now. */
  tick(): void {
    for (const [partition, at] of this.#at) this.#switch(partition, at.activity);
  }

  #switch(partition: number, activity: Activity): void {
    const now = this.#clock.now();
    const before = this.#at.get(partition);
    if (before !== undefined) {
      const seconds = Math.max(0, now - before.since) / 1_000;
      this.#spend(this.#namely(partition, before.activity), seconds);
    }
    this.#at.set(partition, { activity, since: now });
  }

  #namely(partition: number, activity: Activity): Activity {
    if (activity !== "rebalance" && this.#isHeld()) return "held";
    return activity === "idle" && this.#isBehind(partition) ? "fetch" : activity;
  }
}
