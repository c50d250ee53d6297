/** A stretch of one partition and the times of receipt that its rows can have. */
export interface StoredStretch {
  readonly partition: number;
  readonly first: number;
  readonly last: number;
  readonly receivedFrom: Date;
  readonly receivedTo: Date;
}

/** A record whose report may already be a row. */
export interface RepeatCandidate {
  readonly reportId: string;
  readonly offset: number;
  readonly receivedAt: Date;
}

/** Questions about rows that are in the database already. */
export interface StoredReports {
  /** The offsets of a stretch that are rows. @throws WriteError */
  offsetsIn(stretch: StoredStretch): Promise<ReadonlySet<number>>;
  /**
   * Rows of reports that were received before this time may have been removed because of their age. @throws WriteError
   */
  expiredBefore(): Promise<Date>;
  /**
   * The offsets of those candidates whose report is a row already: at a lower offset of the partition, or of another source, since a record is
   * sent again elsewhere only when its topic was deleted and made again. @throws WriteError
   */
  repeatedAmong(
    partition: number,
    candidates: readonly RepeatCandidate[],
  ): Promise<ReadonlySet<number>>;
}
