import { freePort, waitFor } from "@push-reports/test-support";
import { atMost, figure } from "../figures/figure.js";
import { USUAL_POPULATION } from "../load/sdk-reports.js";
import { produceBacklog } from "../services/backlog.js";
import type { BenchProcess } from "../services/bench-process.js";
import { Database } from "../services/database.js";
import { SteadyTraffic } from "../services/steady-traffic.js";
import type { BenchCase } from "./bench-case.js";
import { consumerEnvironment } from "./drains.js";

const CONSUMERS = 6;
const PARTITIONS = 12;
/** Many enough that no second passes without a record in some partition, few enough that two cores have time for seven processes. */
const RECORDS_PER_SECOND = 1_000;
const ROWS_MS = 60_000;

/** Replaces every consumer of a group, one after the other, under load: for how long no row comes. */
export const ROLLING_RESTART: BenchCase = {
  name: "rolling-restart",
  title: "Rolling restart of six consumers on 12 partitions",
  needsContainers: true,
  run: async (lab, { rounds, say }) => {
    const kafka = await lab.kafka();
    const first = { records: PARTITIONS, partitions: PARTITIONS, population: USUAL_POPULATION };
    const { topic } = await produceBacklog(kafka, first);
    const database = await Database.create(lab);
    const { environment } = await consumerEnvironment(lab, database, topic);
    const launch = async (): Promise<BenchProcess> => {
      const operationsPort = await freePort();
      const more = { OPERATIONS_PORT: String(operationsPort) };
      return await lab.run("consumer", { ...environment, ...more }).untilReady(operationsPort);
    };
    const consumers: BenchProcess[] = [];
    while (consumers.length < CONSUMERS) consumers.push(await launch());
    const traffic = await SteadyTraffic.begin(kafka, topic, {
      perSecond: RECORDS_PER_SECOND,
      partitions: PARTITIONS,
      population: USUAL_POPULATION,
    });
    const longest: number[] = [];
    let sent = PARTITIONS;
    try {
      await untilRows(database, PARTITIONS + 5 * RECORDS_PER_SECOND);
      for (let round = 0; round < rounds; round += 1) {
        const pauses: number[] = [];
        for (const old of consumers.splice(0)) {
          const begunAt = Date.now();
          await old.stop();
          consumers.push(await launch());
          await untilRows(database, (await database.rows()) + RECORDS_PER_SECOND);
          pauses.push(await longestPauseMs(database, begunAt));
        }
        say(`no new row for ${pauses.join(", ")} ms`);
        longest.push(Math.max(...pauses));
      }
    } finally {
      sent += await traffic.stop();
    }
    await untilRows(database, sent);
    const problems = await database.ask(
      "SELECT (SELECT count() FROM ingest_gaps) + (SELECT count() FROM ingest_overlaps) + (SELECT count() - uniqExact(partition, offset) FROM reports)",
    );
    if (problems !== "0") throw new Error(`${problems} gaps, overlaps or doubled rows`);
    const lateness = await database.ask(
      "SELECT arrayMap(x -> round(x / 1000, 1), quantilesExact(0.5, 0.99, 1)(dateDiff('millisecond', received_from, completed_at))) FROM ledger",
    );
    return {
      figures: [figure("longest time without a new row", "ms", longest, atMost(5_000))],
      notes: [
        `${RECORDS_PER_SECOND.toLocaleString("en")} records a second; each of the ${CONSUMERS} is stopped and a new one is ready before the next; of each round the longest of its six pauses.`,
        `${sent.toLocaleString("en")} records, as many rows, none twice. From receipt to complete: median, 99 % and most of all ranges: ${lateness} s.`,
      ],
    };
  },
};

async function untilRows(database: Database, rows: number): Promise<void> {
  await waitFor(async () => (await database.rows()) >= rows, {
    what: `${rows} rows`,
    timeoutMs: ROWS_MS,
    intervalMs: 200,
  });
}

/** Between the completion of two ranges of any partition, since shortly before a time. */
async function longestPauseMs(database: Database, sinceMs: number): Promise<number> {
  return Number(
    await database.ask(
      `SELECT max(at - before) FROM (
         SELECT toUnixTimestamp64Milli(completed_at) AS at,
           lagInFrame(at, 1, at) OVER (ORDER BY at ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS before
         FROM ledger) WHERE at >= ${sinceMs}`,
    ),
  );
}
