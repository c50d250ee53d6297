import { setTimeout as delay } from "node:timers/promises";
import { atMost, figure } from "../figures/figure.js";
import { USUAL_POPULATION } from "../load/sdk-reports.js";
import { cpuMsOf } from "../measure/process-usage.js";
import { produceBacklog } from "../services/backlog.js";
import { Database } from "../services/database.js";
import type { BenchCase } from "./bench-case.js";
import { consumerEnvironment } from "./drains.js";
import { PARTITIONS } from "./gateway-cases.js";

const SETTLE_MS = 10_000;
const IDLE_MS = 20_000;
/** The consumer has read something and has its connections, as after a busy hour. */
const RECORDS = 10_000;

/** What the services use when there is nothing to do. */
export const IDLE: BenchCase = {
  name: "idle",
  title: "Idle",
  needsContainers: true,
  run: async (lab, { rounds, say }) => {
    const { topic } = await produceBacklog(await lab.kafka(), {
      records: RECORDS,
      partitions: PARTITIONS,
      population: USUAL_POPULATION,
    });
    const database = await Database.create(lab);
    const { environment, operationsPort } = await consumerEnvironment(lab, database, topic);
    const consumer = await lab.run("consumer", environment).untilReady(operationsPort);
    const gateway = await lab.gateway(topic);
    await delay(SETTLE_MS);
    const pids = { gateway: gateway.process.pid, consumer: consumer.pid };
    const percents: Record<string, number[]> = { gateway: [], consumer: [] };
    for (let round = 0; round < rounds; round += 1) {
      const before = Object.values(pids).map(cpuMsOf);
      const from = performance.now();
      await delay(IDLE_MS);
      Object.entries(pids).forEach(([name, pid], index) => {
        const usedMs = cpuMsOf(pid) - (before[index] ?? 0);
        const percent = (100 * usedMs) / (performance.now() - from);
        percents[name]?.push(percent);
        say(`${name}: ${percent.toFixed(2)} % of a core`);
      });
    }
    await Promise.all([consumer.stop(), gateway.process.stop()]);
    return {
      figures: ["gateway", "consumer"].map((name) =>
        figure(`${name}: CPU while idle`, "% of a core", percents[name] ?? [], atMost(1)),
      ),
      notes: [
        `${IDLE_MS / 1_000} s each, ${PARTITIONS} partitions; the consumer has worked off ${RECORDS.toLocaleString("en")} records before.`,
      ],
    };
  },
};
