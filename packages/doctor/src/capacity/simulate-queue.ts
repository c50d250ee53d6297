/** What flows into a queue and out of it, in records a second, at a time in seconds. */
export interface Flow {
  readonly comes: (atSecs: number) => number;
  /** What could be taken at the most. */
  readonly goes: (atSecs: number) => number;
  /** How long to look. */
  readonly seconds: number;
}

/** What became of the queue. */
export interface QueueHistory {
  readonly mostRecords: number;
  /** When it was longest. */
  readonly longestAtSecs: number;
  /** The greatest age of the oldest record that was waiting. */
  readonly oldestSecs: number;
  /** When the queue was empty again for good; null when it was not within the time. */
  readonly emptyAtSecs: number | null;
}

const STEP_SECS = 1;

/** Follows a queue second by second: first in, first out. It is empty at first. */
export function simulateQueue({ comes, goes, seconds }: Flow): QueueHistory {
  /** Records that had come by the end of each step. */
  const comeBy: number[] = [];
  let came = 0;
  let gone = 0;
  let oldestStep = 0;
  let [mostRecords, longestAtSecs, oldestSecs] = [0, 0, 0];
  let emptyAtSecs: number | null = 0;
  for (let step = 0; step * STEP_SECS < seconds; step += 1) {
    const at = step * STEP_SECS;
    came += comes(at) * STEP_SECS;
    comeBy.push(came);
    gone = Math.min(came, gone + goes(at) * STEP_SECS);
    const waiting = came - gone;
    while (oldestStep < step && (comeBy[oldestStep] ?? 0) <= gone) oldestStep += 1;
    const isEmpty = waiting < 1;
    oldestSecs = Math.max(oldestSecs, isEmpty ? 0 : (step - oldestStep) * STEP_SECS);
    if (waiting > mostRecords) [mostRecords, longestAtSecs] = [waiting, at];
    if (!isEmpty) emptyAtSecs = null;
    else emptyAtSecs ??= at;
  }
  return { mostRecords, longestAtSecs, oldestSecs, emptyAtSecs };
}

const DAY_SECS = 86_400;
const HOUR_SECS = 3_600;
/** Of the average, what comes at the quietest. */
const QUIET_SHARE = 0.5;

/** A day: quiet, with one rise to the peak and back, at noon. Its mean is the average. */
export function dayOf(averagePerSecond: number, peakPerSecond: number): Flow["comes"] {
  if (peakPerSecond <= averagePerSecond) return () => averagePerSecond;
  // A rise is a raised cosine, whose mean is half of its height.
  const riseSecs = Math.min(
    DAY_SECS,
    (2 * DAY_SECS * averagePerSecond * (1 - QUIET_SHARE)) /
      (peakPerSecond - averagePerSecond * QUIET_SHARE),
  );
  const quiet =
    riseSecs < DAY_SECS ? averagePerSecond * QUIET_SHARE : 2 * averagePerSecond - peakPerSecond;
  return (atSecs) => {
    const fromNoon = Math.abs((atSecs % DAY_SECS) - DAY_SECS / 2);
    if (fromNoon > riseSecs / 2) return quiet;
    const height = (1 + Math.cos((2 * Math.PI * fromNoon) / riseSecs)) / 2;
    return quiet + (peakPerSecond - quiet) * height;
  };
}

/** The same flow while nothing goes for some hours around noon, the worst time. */
export function awayAtNoon(goesPerSecond: number, hours: number): Flow["goes"] {
  const [from, to] = [-1, 1].map((side) => DAY_SECS / 2 + (side * hours * HOUR_SECS) / 2);
  return (atSecs) => (atSecs >= (from ?? 0) && atSecs < (to ?? 0) ? 0 : goesPerSecond);
}
