/** One record as it goes into the log. Its buffers may be reused once `append` has resolved. */
export interface LogRecord {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** Header names hold at most 65,535 bytes each; a header whose value is undefined is not kept. */
  readonly headers: Readonly<Record<string, Buffer | undefined>>;
  /** Unix milliseconds, a whole number. */
  readonly timestampMs: number;
}

/** One record as it comes out of the log. */
export interface LogEntry extends LogRecord {
  readonly offset: number;
  readonly headers: Readonly<Record<string, Buffer>>;
}

/** How much one `read` gives at most. Each bound is at least 1. */
export interface ReadLimits {
  readonly maxRecords: number;
  /** Bytes of keys, values and headers. The first record is given whatever its size. */
  readonly maxBytes: number;
}

/**
 * A durable, bounded, ordered log of records in a folder that one process owns.
 * Offsets are contiguous and never used twice, also after everything was trimmed and the process restarted.
 * What a promise below has resolved for survives SIGKILL and, where the disk keeps what it has synced, a power cut.
 * Every call may throw or reject with a LogError.
 */
export interface EmbeddedLog {
  /** The lowest offset that can be read; equals `nextOffset` when the log is empty. */
  readonly firstOffset: number;
  /** The offset that the next record gets: one past the highest that can be read. */
  readonly nextOffset: number;
  /** Bytes of the records on disk, with their framing; at most the log's `maxBytes`. */
  readonly bytes: number;
  /** Bytes of records that wait for the disk, the commit under way included; at most `maxWaitingBytes`. */
  readonly waitingBytes: number;
  /** False from a failed append until one succeeds again. For people and metrics: the way to find out is to append. */
  isHealthy(): boolean;

  /**
   * Resolves with the record's offset once it is fsynced. Concurrent appends share one commit; they get offsets in the
   * order of the calls. Rejects with "log_full" or "log_overloaded" before anything is written. An error whose
   * `leftBehind` is "unknown" comes from the commit: the record is most likely not in the log, but may be.
   */
  append(record: LogRecord): Promise<number>;
  /**
   * Records from `fromOffset` on, in order, without waiting; empty at the log's end. Begins at `firstOffset` when
   * `fromOffset` is lower, so that a gap shows in the first entry's offset.
   */
  read(fromOffset: number, limits: ReadLimits): readonly LogEntry[];
  /**
   * Forgets every record below `beforeOffset` (at most `nextOffset`). They cannot be read from the call on; the promise
   * resolves once that is durable and their space is free.
   */
  trim(beforeOffset: number): Promise<void>;

  /** The value last set for a name, or null. Survives restarts, whatever is trimmed. */
  mark(name: string): string | null;
  /** Resolves once fsynced. Names and values are short text: 64 and 16,384 bytes. */
  setMark(name: string, value: string): Promise<void>;

  /** Calls back after each commit that made records readable. Returns what ends that. */
  onAppend(listener: () => void): () => void;
  /** Finishes what waits and frees the folder. Later calls throw or reject with "log_closed". */
  close(): Promise<void>;
}
