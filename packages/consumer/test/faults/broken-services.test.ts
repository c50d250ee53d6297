import { afterAll, beforeAll, expect, it } from "@jest/globals";
import {
  type ClickHouseServer,
  describeWithContainers,
  type KafkaCluster,
  startClickHouse,
  startKafka,
} from "@push-reports/test-support";
import { DEADLINE_MS, runSchedule } from "./support/run-schedule.js";
import { TIMES, timesInRound, titleOf } from "./support/schedule.js";
import { schedulesOfThisRun } from "./support/seeds.js";

/** Past the schedule's own deadline, for cleaning up, ms. */
const TIMEOUT_MS = DEADLINE_MS + 60_000;

const schedules = schedulesOfThisRun()
  .filter(({ breaksServices }) => breaksServices)
  .map((schedule) => ({ schedule, title: titleOf(schedule) }));

it("has each of its faults three times in every round of seeds", () => {
  for (let round = 0; round < 50; round += 1)
    expect(timesInRound(round, true)[0]).toBeGreaterThanOrEqual(TIMES);
});

if (schedules.length > 0)
  describeWithContainers(
    "exactly once, whatever happens to Kafka and ClickHouse",
    ["docker"],
    () => {
      let kafka: KafkaCluster;
      let clickHouse: ClickHouseServer;

      beforeAll(async () => {
        [kafka, clickHouse] = await Promise.all([startKafka({ brokers: 2 }), startClickHouse()]);
      });
      afterAll(() => Promise.all([kafka?.stop(), clickHouse?.stop()]));

      it.each(schedules)(
        "$title",
        async ({ schedule }) => {
          const { brokers } = kafka;
          const setting = { brokers, clickHouse, services: { kafka, clickHouse }, mutant: null };
          await runSchedule(schedule, setting);
        },
        TIMEOUT_MS,
      );
    },
  );
