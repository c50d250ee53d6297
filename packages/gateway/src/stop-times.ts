import { ARRIVAL_MS } from "./server/close-connections.js";

/** What whatever stops behind the answers is left at least, ms: it lets go of Kafka, disks and databases. */
const MIN_REST_MS = 1_000;

/** What a stop's time goes into. */
export interface StopTimes {
  /** Requests are still taken. */
  readonly shutdownDelayMs: number;
  readonly answerDeadlineMs: number;
  /** All of it. */
  readonly shutdownTimeoutMs: number;
}

/** How long what was sent may take to be answered once connections are taken no more, ms: to arrive in full, and then its whole deadline. */
export function stopAnswersMs({ answerDeadlineMs }: Pick<StopTimes, "answerDeadlineMs">): number {
  return ARRIVAL_MS + answerDeadlineMs;
}

/** What a stop has left for whatever stops behind the answers, ms, when these take all of their time. */
export function stopRestMs(times: StopTimes): number {
  return times.shutdownTimeoutMs - times.shutdownDelayMs - stopAnswersMs(times);
}

/** Says what is wrong with a stop that would be over before what it has taken can be answered. Undefined is what is faulty by itself. */
export function tooShortStop({
  shutdownDelayMs,
  answerDeadlineMs,
  shutdownTimeoutMs,
}: {
  readonly [K in keyof StopTimes]?: StopTimes[K] | undefined;
}): readonly string[] {
  if (shutdownDelayMs === undefined || answerDeadlineMs === undefined) return [];
  if (shutdownTimeoutMs === undefined) return [];
  const neededMs = shutdownDelayMs + stopAnswersMs({ answerDeadlineMs }) + MIN_REST_MS;
  if (shutdownTimeoutMs >= neededMs) return [];
  return [
    `SHUTDOWN_TIMEOUT_MS (${shutdownTimeoutMs}) must be at least ${neededMs}, or what is under way is cut: SHUTDOWN_DELAY_MS (${shutdownDelayMs}), ${ARRIVAL_MS} for what is half sent, ANSWER_DEADLINE_MS (${answerDeadlineMs}), and ${MIN_REST_MS} to close`,
  ];
}
