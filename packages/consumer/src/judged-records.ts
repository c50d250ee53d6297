/** Records of one partition, one after the other, of which it is known whether they can be rows. */
export interface JudgedStretch {
  readonly partition: number;
  /** First and last offset, both within it. */
  readonly first: number;
  readonly last: number;
  /** Unix ms. */
  readonly judgedAt: number;
  /** Of those that were set aside, in order. */
  readonly badOffsets: readonly number[];
}

/** What became of a partition's latest records, whoever took them. */
export interface JudgedRecords {
  /**
   * The partition's latest complete stretches, in order of offset, which together have at least `records` records if there were so many.
   * Of the bad ones at most `bad` are given, the latest. @throws WriteError
   */
  latest(
    partition: number,
    most: { readonly records: number; readonly bad: number },
  ): Promise<readonly JudgedStretch[]>;
}
