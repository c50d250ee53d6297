import { expect, it } from "@jest/globals";
import { describeWithContainers, sharedClickHouse, sharedKafka } from "@push-reports/test-support";
import { DEADLINE_MS, runSchedule } from "./support/run-schedule.js";
import { TIMES, timesInRound, titleOf } from "./support/schedule.js";
import { schedulesOfThisRun } from "./support/seeds.js";

/** Past the schedule's own deadline, for cleaning up, ms. */
const TIMEOUT_MS = DEADLINE_MS + 60_000;

const schedules = schedulesOfThisRun()
  .filter(({ breaksServices }) => !breaksServices)
  .map((schedule) => ({ schedule, title: titleOf(schedule) }));

it("has each of its faults three times in every round of seeds", () => {
  for (let round = 0; round < 50; round += 1)
    expect(timesInRound(round, false)[0]).toBeGreaterThanOrEqual(TIMES);
});

if (schedules.length > 0)
  describeWithContainers(
    "exactly once, whatever happens to consumers",
    ["kafka", "clickhouse"],
    () => {
      it.concurrent.each(schedules)(
        "$title",
        async ({ schedule }) => {
          const { brokers } = await sharedKafka();
          const clickHouse = await sharedClickHouse();
          const setting = { brokers, clickHouse, services: null, mutant: null };
          await runSchedule(schedule, setting);
        },
        TIMEOUT_MS,
      );
    },
  );
