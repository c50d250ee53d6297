import { setTimeout as delay } from "node:timers/promises";

const LOOK_EVERY_MS = 500;

/** How many rows a second were added between the first and the last look of a window. @param afterMs time before it. */
export async function rowsPerSecond(
  rows: () => Promise<number>,
  { afterMs, forMs }: { readonly afterMs: number; readonly forMs: number },
): Promise<number> {
  await delay(afterMs);
  const look = async () => ({ rows: await rows(), at: performance.now() });
  const first = await look();
  let last = first;
  while (last.at - first.at < forMs) {
    await delay(LOOK_EVERY_MS);
    last = await look();
  }
  return ((last.rows - first.rows) * 1_000) / (last.at - first.at);
}
