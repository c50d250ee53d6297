import { existsSync, openSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { testRun } from "./test-run.js";
import { waitFor } from "./wait-for.js";

/** How long another worker may take to start a container, ms. */
const START_TIMEOUT_MS = 90_000;

/** Starts a service, or whatever else a run has once, in whichever worker asks first; the others wait for what it writes into the run's folder. */
export async function startOnce<T extends object>(
  name: string,
  start: () => Promise<T>,
): Promise<T> {
  const { folder } = testRun();
  const told = join(folder, `${name}.json`);
  if (!existsSync(told) && isFirst(join(folder, `${name}.lock`))) {
    const answer = await start().catch((error: unknown) => ({ failure: String(error) }));
    writeFileSync(`${told}.new`, JSON.stringify(answer));
    renameSync(`${told}.new`, told);
  }
  await waitFor(() => existsSync(told), { what: `shared ${name}`, timeoutMs: START_TIMEOUT_MS });
  const answer = JSON.parse(readFileSync(told, "utf8")) as T | { readonly failure: string };
  if ("failure" in answer) throw new Error(`The shared ${name} did not start: ${answer.failure}`);
  return answer;
}

function isFirst(lock: string): boolean {
  try {
    openSync(lock, "wx");
    return true;
  } catch {
    return false;
  }
}
