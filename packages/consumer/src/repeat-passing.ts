import { Backoff, type Clock } from "@push-reports/service-kit";
import { WriteError } from "./report-writer.js";

/** Runs an attempt, perhaps several times, and gives what the last one gives or throws. */
export type Repeat = <T>(attempt: () => Promise<T>) => Promise<T>;

/** Consumers write the same tables all the time, a quorum insert each: the next gap between two of them is soon there. */
const DELAYS = { initialMs: 100, maxMs: 2_000 } as const;
/** No attempt begins later than this after the first failure, ms. */
const REPEAT_FOR_MS = 120_000;

/** Codes that pass with time and are not repeated: another attempt would take as long, act against whoever ended it, or pile up. */
const NOT_AT_ONCE: ReadonlySet<number> = new Set([
  // TIMEOUT_EXCEEDED
  159,
  // UNFINISHED: the removal goes on by itself, and one more would write the same parts once more.
  341,
  // QUERY_WAS_CANCELLED and QUERY_WAS_CANCELLED_BY_CLIENT
  394, 735,
]);

/**
 * Repeats a statement of a command, which changes nothing where it is done twice, as long as the database refuses it for what passes with
 * time, {@link REPEAT_FOR_MS} at most. What gets no answer is not repeated: the database may still be at it. @throws what the last attempt throws
 */
export async function repeatPassing<T>(attempt: () => Promise<T>, clock: Clock): Promise<T> {
  const backoff = new Backoff(DELAYS);
  let until: number | null = null;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      until ??= clock.now() + REPEAT_FOR_MS;
      const delayMs = backoff.next();
      if (!passesSoon(error) || clock.now() + delayMs > until) throw error;
      await clock.sleep(delayMs);
    }
  }
}

function passesSoon(error: unknown): boolean {
  if (!(error instanceof WriteError) || error.failure !== "passes_with_time") return false;
  return error.clickHouseCode !== 0 && !NOT_AT_ONCE.has(error.clickHouseCode);
}
