import { CANARY_HEADER, CANARY_INSTANCE_ID } from "@push-reports/report";

/** Publish that all of the canary's reports name. */
export const CANARY_PUBLISH_ID = "canary";
/** How long an SDK waits for its answer, ms. */
const ANSWER_TIMEOUT_MS = 10_000;

/** Where to, and as who. */
export interface CanaryTarget {
  readonly url: string;
  readonly secret: string;
}

/** What became of the request. */
export type CanaryAnswer = "accepted" | "refused" | "unanswered";

/** Sends one report as a web client does. Never throws. @param at Unix milliseconds. */
export async function sendCanary(
  { url, secret }: CanaryTarget,
  deviceId: string,
  at: number,
  stopped: AbortSignal,
): Promise<CanaryAnswer> {
  const path = `/reporting_api/v2/instances/${CANARY_INSTANCE_ID}/events`;
  const report = {
    event: "delivery",
    publishId: CANARY_PUBLISH_ID,
    deviceId,
    timestampSecs: Math.floor(at / 1_000),
  };
  try {
    const answer = await fetch(new URL(path, url), {
      method: "POST",
      headers: { "content-type": "application/json", [CANARY_HEADER]: secret },
      body: JSON.stringify(report),
      // A redirected POST is a lost report.
      redirect: "manual",
      signal: AbortSignal.any([AbortSignal.timeout(ANSWER_TIMEOUT_MS), stopped]),
    });
    await answer.arrayBuffer();
    return answer.status === 200 ? "accepted" : "refused";
  } catch {
    return "unanswered";
  }
}
