/**
 * The image's health check: `healthcheck.mjs <path>` asks the container's service for /livez or /readyz and ends with 1
 * unless the answer is 200. A command that is no service is healthy as long as it runs.
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import { COMMANDS } from "./commands.mjs";

/** Shorter than the check's own time limit, so that the reason is printed. */
const TIMEOUT_MS = 2_500;

const port = operationsPort();
if (port !== undefined) {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}${process.argv[2] ?? "/livez"}`, {
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    process.stdout.write(await answer.text());
    process.exitCode = answer.ok ? 0 : 1;
  } catch (error) {
    process.stdout.write(`${error.cause?.message ?? error.message}\n`);
    process.exitCode = 1;
  }
}

/** A check is not told the container's command: process 1 knows, also behind an init process. */
function operationsPort() {
  const words = readFileSync("/proc/1/cmdline", "utf8").split("\0");
  const command = words[words.findIndex((word) => word.endsWith("/start.mjs")) + 1] ?? "";
  if (!Object.hasOwn(COMMANDS, command)) return undefined;
  const { operationsPort: usual } = COMMANDS[command];
  return usual && (process.env.OPERATIONS_PORT ?? usual);
}
