import { expect, it } from "@jest/globals";
import { describeWithContainers, sharedClickHouse, sharedKafka } from "@push-reports/test-support";
import { MUTANTS } from "../support/mutants.js";
import { DEADLINE_MS, runSchedule, ScheduleFailedError } from "../support/run-schedule.js";
import { type Schedule, titleOf } from "../support/schedule.js";
import { schedulesOfThisRun } from "../support/seeds.js";

/** Schedules of one mutant that run at the same time. */
const SIDE_BY_SIDE = 3;

const schedules = schedulesOfThisRun().filter(({ breaksServices }) => !breaksServices);
/** Every schedule may be needed, ms. */
const TIMEOUT_MS = DEADLINE_MS * Math.ceil(schedules.length / SIDE_BY_SIDE + 1);

describeWithContainers("the fault suite", ["kafka", "clickhouse"], () => {
  it.each(MUTANTS)(
    "fails for a consumer that $name",
    async (mutant) => {
      const { brokers } = await sharedKafka();
      const clickHouse = await sharedClickHouse();
      const setting = { brokers, clickHouse, services: null, mutant };
      const failures = await untilOneFails(schedules, (schedule) => runSchedule(schedule, setting));
      console.log(`A consumer that ${mutant.name}:\n${failures[0]}`);
      expect(failures).not.toEqual([]);
    },
    TIMEOUT_MS,
  );
});

/** Runs schedules until one of them fails as it should; what else goes wrong is thrown. */
async function untilOneFails(
  schedules: readonly Schedule[],
  run: (schedule: Schedule) => Promise<void>,
): Promise<readonly string[]> {
  const waiting = [...schedules];
  const failures: string[] = [];
  const runOneAfterAnother = async () => {
    for (
      let schedule = waiting.shift();
      schedule !== undefined && failures.length === 0;
      schedule = waiting.shift()
    ) {
      const failure = await failureOf(run(schedule));
      if (failure !== null) failures.push(`${titleOf(schedule)}\n${failure}`);
    }
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, runOneAfterAnother));
  return failures;
}

async function failureOf(running: Promise<void>): Promise<string | null> {
  try {
    await running;
    return null;
  } catch (error) {
    if (!(error instanceof ScheduleFailedError)) throw error;
    // A mutant that merely stands still shows nothing of what its part is for.
    return error.isWrongOutcome ? error.message : null;
  }
}
