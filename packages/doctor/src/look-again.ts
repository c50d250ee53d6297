import type { Clock } from "@push-reports/service-kit";
import type { Finding } from "./finding.js";

/** Time between two looks, ms. */
const LOOK_AGAIN_MS = 3_000;

/**
 * Looks until nothing is failed, or no time is left for a further look: what comes up together, as pods do, is not all there at first.
 * @param waitMs after which the last look counts, however it ended. @returns the findings of the last look.
 */
export async function lookAgain(
  look: () => Promise<readonly Finding[]>,
  waitMs: number,
  clock: Clock,
): Promise<readonly Finding[]> {
  const giveUpAt = clock.now() + waitMs;
  for (;;) {
    const findings = await look();
    const isWell = findings.every(({ status }) => status !== "failed");
    if (isWell || clock.now() + LOOK_AGAIN_MS > giveUpAt) return findings;
    await clock.sleep(LOOK_AGAIN_MS);
  }
}
