import type { RowLines } from "./row-lines.js";
import type { StoredStretch } from "./stored-reports.js";

/** What a failed write means for the rows, and so what to do about it. */
export type WriteFailure =
  /** The database is away, busy or read-only, or nobody knows what became of the write: the same again, later. */
  | "passes_with_time"
  /** At least one row may be at fault: find it. */
  | "bad_record"
  /** Tables, rights or settings are wrong: no row is at fault and no retry helps until somebody mends it. */
  | "misconfigured";

/** A write that is not known to have succeeded. */
export class WriteError extends Error {
  override readonly name = "WriteError";
  readonly failure: WriteFailure;
  /** ClickHouse's error code; 0 when the failure was not its answer. */
  readonly clickHouseCode: number;
  /** The row of the insert, from 1, that the database says it refuses: a hint, not a proof. */
  readonly row: number | null;

  constructor(
    failure: WriteFailure,
    clickHouseCode: number,
    message: string,
    cause?: unknown,
    row: number | null = null,
  ) {
    super(message, { cause });
    this.failure = failure;
    this.clickHouseCode = clickHouseCode;
    this.row = row;
  }

  get code(): WriteFailure {
    return this.failure;
  }
}

/** The views over the rows, all of them there. */
export interface ViewsSeen {
  /** Another one whenever a view was made anew. */
  readonly identity: string;
  /** When one of them was last made or changed, by the database's clock. */
  readonly changedAt: Date;
}

/** Puts the rows of ranges into the database. */
export interface ReportWriter {
  /**
   * Inserts all lines at once, durably. The same name again inserts nothing, for at least as long as a retry can take.
   * Without lines it does nothing. @throws WriteError
   */
  write(name: string, lines: RowLines): Promise<void>;
  /**
   * A name is sure to be recognised again when it was first given after this time: since when the database has run without a break, by
   * our clock. @throws WriteError
   */
  rememberedSince(): Promise<Date>;
  /** The views that inserted rows get into at the moment. @throws WriteError `misconfigured` while one is missing */
  viewsNow(): Promise<ViewsSeen>;
  /**
   * Gives every view over the rows of a stretch what it may lack of them; nothing changes where it lacks nothing. @throws WriteError
   */
  completeViews(stretch: StoredStretch): Promise<void>;
  /** Whether the database would take these lines, without keeping any. @throws WriteError when it would not. */
  probe(lines: RowLines): Promise<void>;
}
