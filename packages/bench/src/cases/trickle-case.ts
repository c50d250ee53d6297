import { setTimeout as delay } from "node:timers/promises";
import { atMost, figure } from "../figures/figure.js";
import { USUAL_POPULATION } from "../load/sdk-reports.js";
import { produceBacklog } from "../services/backlog.js";
import { Database } from "../services/database.js";
import { SteadyTraffic } from "../services/steady-traffic.js";
import type { BenchCase } from "./bench-case.js";
import { consumerEnvironment } from "./drains.js";

const PARTITIONS = 12;
const RECORDS_PER_SECOND = 20;
const SETTLE_MS = 5_000;

/** How soon a report is a row when few come: the delay that MAX_DELAY_MS promises, insert included. */
export const TRICKLE: BenchCase = {
  name: "trickle",
  title: "Low traffic",
  needsContainers: true,
  run: async (lab, { rounds, windowMs, say }) => {
    const kafka = await lab.kafka();
    const load = { partitions: PARTITIONS, population: USUAL_POPULATION };
    const { topic } = await produceBacklog(kafka, { records: PARTITIONS, ...load });
    const database = await Database.create(lab);
    const { environment, operationsPort } = await consumerEnvironment(lab, database, topic);
    const consumer = await lab.run("consumer", environment).untilReady(operationsPort);
    const traffic = await SteadyTraffic.begin(kafka, topic, {
      perSecond: RECORDS_PER_SECOND,
      ...load,
    });
    const lateMs: { readonly median: number[]; readonly most: number[] } = { median: [], most: [] };
    try {
      await delay(SETTLE_MS);
      for (let round = 0; round < rounds; round += 1) {
        const since = Date.now();
        await delay(windowMs);
        const [median = Number.NaN, most = Number.NaN] = await latenessMs(database, since);
        say(`from receipt to complete: ${median} ms (median), ${most} ms (99 %)`);
        lateMs.median.push(median);
        lateMs.most.push(most);
      }
    } finally {
      await traffic.stop();
    }
    await consumer.stop();
    return {
      figures: [
        figure("from receipt to complete, median", "ms", lateMs.median),
        figure("from receipt to complete, 99 % of ranges", "ms", lateMs.most, atMost(1_000)),
      ],
      notes: [
        `${RECORDS_PER_SECOND} records a second over ${PARTITIONS} partitions, one consumer with its defaults (MAX_DELAY_MS is 1,000). Of each range its oldest record; it can be queried a little before the range is complete.`,
      ],
    };
  },
};

/** Between the receipt of the oldest record of a range and its ledger row, of all ranges whose records came after a time. */
async function latenessMs(database: Database, sinceMs: number): Promise<readonly number[]> {
  const answer = await database.ask(
    `SELECT arrayStringConcat(quantilesExact(0.5, 0.99)(dateDiff('millisecond', received_from, completed_at)), ' ')
     FROM ledger WHERE toUnixTimestamp64Milli(received_from) >= ${sinceMs}`,
  );
  return answer.split(" ").map(Number);
}
