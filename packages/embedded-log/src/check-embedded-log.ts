import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execPath } from "node:process";
import { LogError } from "./log-error.js";

const require = createRequire(import.meta.url);

/** Some 1 GB/s. A disk that is slower than a hundredth of it is not worth waiting for. */
const MIN_CHECK_MS = 60_000;
const MS_PER_GB = 100_000;
const DAMAGED = 3;
const LOCKED = 4;
/** How a process ends that LMDB takes along when it reads pages which are none. */
const FATAL_SIGNALS: ReadonlySet<unknown> = new Set(["SIGSEGV", "SIGBUS", "SIGABRT", "SIGILL"]);

/**
 * Reads all of a folder's log in a process of its own: LMDB trusts what its pages say of each other, and with damaged ones it can end
 * the process that reads them (seen: SIGSEGV, SIGBUS, and an abort of malloc). A folder without a log is fine.
 * @throws LogError as opening the log would, but survives it.
 */
export async function checkEmbeddedLog(options: {
  readonly path: string;
  readonly maxBytes: number;
}): Promise<void> {
  const { path, maxBytes } = options;
  if (!existsSync(join(path, "data.mdb"))) return;
  const program = require.resolve("@push-reports/embedded-log/check");
  const timeout = Math.ceil(MIN_CHECK_MS + (maxBytes / 1e9) * MS_PER_GB);
  await new Promise<void>((resolve, reject) => {
    execFile(
      execPath,
      [program, path, String(maxBytes)],
      { timeout, killSignal: "SIGKILL", env: { TMPDIR: tmpdir() } },
      (error, _stdout, stderr) => {
        if (error === null) resolve();
        else reject(faultOf(path, error, stderr.trim()));
      },
    );
  });
}

function faultOf(
  path: string,
  error: { readonly code?: unknown; readonly signal?: unknown },
  said: string,
): LogError {
  if (error.code === LOCKED) return new LogError("log_locked", said);
  if (error.code === DAMAGED) return new LogError("log_broken", said);
  if (FATAL_SIGNALS.has(error.signal))
    return new LogError(
      "log_broken",
      `The log in ${path} is damaged: reading it ended with ${error.signal}`,
    );
  const cause = { code: "ECHECK", cause: error };
  return new LogError("log_broken", `The log in ${path} could not be checked: ${said}`, cause);
}
