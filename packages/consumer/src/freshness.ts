/** What is known to be complete of one partition. Every figure only grows, so a late or repeated entry does no harm. */
export interface FreshnessEntry {
  readonly source: string;
  readonly partition: number;
  /** Everything received before this time is complete in every table; the epoch's begin while nothing is known. */
  readonly completeTo: Date;
  readonly nextOffset: number;
  readonly highWatermark: number;
  /** Partitions that the log has: a figure over all of them needs an entry of each. */
  readonly partitions: number;
  readonly observedAt: Date;
}

/** Keeps what is known to be complete where analysts can ask for it. */
export interface Freshness {
  /** Of no entries nothing is kept, which always succeeds. @throws WriteError */
  publish(entries: readonly FreshnessEntry[]): Promise<void>;
}
