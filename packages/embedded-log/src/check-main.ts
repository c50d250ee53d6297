import process from "node:process";
import { isDamage, LogError } from "./log-error.js";
import { openEmbeddedLog } from "./open-embedded-log.js";

/*
 * Opens the log in the folder of the first argument, with the bytes of the second, reads all of it and ends: with a code that
 * check-embedded-log.ts knows, or, where the files are so damaged that LMDB does not survive them, by a signal.
 */
const [path = "", maxBytes = ""] = process.argv.slice(2);
try {
  const log = await openEmbeddedLog({ path, maxBytes: Number(maxBytes) });
  await log.close();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = codeOf(error);
}

function codeOf(error: unknown): number {
  if (!(error instanceof LogError)) return 1;
  if (error.code === "log_locked") return 4;
  return isDamage(error) ? 3 : 5;
}
