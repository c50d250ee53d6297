import { createSchedule, ROUND, type Schedule } from "./schedule.js";

/**
 * The schedules of this run: as many as `FAULT_SEEDS` says, or one round, from the seed `FAULT_FIRST_SEED` on.
 * `npm run test:faults` sets both; a seed alone names a schedule for ever, as long as the kinds of faults stay the same.
 */
export function schedulesOfThisRun(): readonly Schedule[] {
  const { FAULT_SEEDS, FAULT_FIRST_SEED } = process.env;
  const first = Number(FAULT_FIRST_SEED ?? 0);
  return Array.from({ length: Number(FAULT_SEEDS ?? ROUND) }, (_, index) =>
    createSchedule(first + index),
  );
}
