/** Why the log did not do what it was asked. */
export type LogErrorCode =
  /** The records on disk and those waiting would exceed `maxBytes`; nothing was written. Passes when records are trimmed. */
  | "log_full"
  /** More bytes wait for the disk than may wait; nothing was written. Passes when the disk catches up. */
  | "log_overloaded"
  /** The files cannot be read or written: damaged, no space, no permission. The log tries again by itself at the next call. */
  | "log_broken"
  /** Another process has the folder open. */
  | "log_locked"
  /** The log was closed. */
  | "log_closed";

/** A fault of an embedded log. */
export class LogError extends Error {
  override readonly name = "LogError";
  readonly code: LogErrorCode;

  constructor(code: LogErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}
