import type {
  DeadLetters,
  JudgedRecords,
  Ledger,
  ReportWriter,
  RowLines,
  SourceRecord,
  StoredReports,
} from "@push-reports/consumer";

/** A dead letter as it was kept. */
export interface KeptDeadLetter {
  readonly offset: number;
  readonly reason: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer>>;
}

/** The tables of one source, as the ports of the consumer see them. */
export interface DatabaseUnderTest {
  readonly source: string;
  readonly writer: ReportWriter;
  readonly ledger: Ledger;
  readonly storedReports: StoredReports;
  readonly deadLetters: DeadLetters;
  readonly judgedRecords: JudgedRecords;
  /** The rows of records, ready to be written. */
  linesOf(partition: number, records: readonly SourceRecord[]): RowLines;
  /** Offsets of a partition's rows in order; one that is twice in the table is twice here. */
  rowOffsets(partition: number): Promise<readonly number[]>;
  /** A partition's dead letters in order of offset, each record once. */
  keptDeadLetters(partition: number): Promise<readonly KeptDeadLetter[]>;
  /** How often the ledger holds a partition's range that begins at `first`. */
  ledgerRows(partition: number, first: number): Promise<number>;
  /** Every table forgets the names of the inserts so far, as when their number has passed its window. */
  forgetInserts(): Promise<void>;
  close(): Promise<void>;
}
