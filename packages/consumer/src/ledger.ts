/** A range that is complete in every table. Its four counts add up to the offsets it spans. */
export interface LedgerEntry {
  readonly name: string;
  readonly source: string;
  readonly partition: number;
  readonly first: number;
  readonly last: number;
  readonly cutAt: Date;
  /** Earliest and latest time of receipt in the range, or null when no record of it was there. */
  readonly receivedFrom: Date | null;
  readonly receivedTo: Date | null;
  /** Offsets whose record is a row. */
  readonly rows: number;
  /** Offsets whose record is a dead letter. */
  readonly setAside: number;
  /** Offsets whose record was sent again and is a row at a lower offset. */
  readonly repeated: number;
  /** Offsets that the log no longer held. */
  readonly absent: number;
}

/** Which ranges are complete. */
export interface Ledger {
  /**
   * The offset up to which everything from `from` on is complete; `from` itself when the range that holds it is not.
   * With null it begins at the partition's first entry, and gives null when there is none. @throws WriteError
   */
  endFrom(partition: number, from: number | null): Promise<number | null>;
  /**
   * Books a range as complete, durably; the same name again books nothing as long as the database remembers it.
   * @param options.mayBeBooked an attempt was made before, or somebody else may have made one, however long ago: the ledger is asked first.
   * @throws WriteError
   */
  close(entry: LedgerEntry, options?: { readonly mayBeBooked?: boolean }): Promise<void>;
}
