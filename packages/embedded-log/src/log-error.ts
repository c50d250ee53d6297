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

/** What a call that failed has left in the log of what it was to write: a commit that failed may have happened all the same. */
export type LeftBehind = "nothing" | "unknown";

/** A fault of an embedded log. */
export class LogError extends Error {
  override readonly name = "LogError";
  readonly code: LogErrorCode;
  readonly leftBehind: LeftBehind;

  constructor(
    code: LogErrorCode,
    message: string,
    cause?: unknown,
    leftBehind: LeftBehind = "nothing",
  ) {
    super(message, { cause });
    this.code = code;
    this.leftBehind = leftBehind;
  }
}

/**
 * Whether a "log_broken" lies in what the files hold: no error of the system (a full disk, a missing permission, a device that fails) is behind
 * it, so that it does not pass by itself.
 */
export function isDamage(error: LogError): boolean {
  return error.code === "log_broken" && !isOfSystem(error);
}

/** Node.js names the system's errors E…; lmdb-js gives their positive numbers, and LMDB's own faults are negative. */
function isOfSystem(error: unknown): boolean {
  if (typeof error !== "object" || error === null) return false;
  const { code, cause } = error as { readonly code?: unknown; readonly cause?: unknown };
  if (typeof code === "string" && /^E[A-Z0-9]+$/.test(code)) return true;
  if (typeof code === "number" && code > 0) return true;
  return isOfSystem(cause);
}
