import { atMost, comparison, type Figure } from "../figures/figure.js";
import type { LoadPlan } from "../load/load-plan.js";
import { USUAL_POPULATION } from "../load/sdk-reports.js";
import type { Lab } from "../services/lab.js";
import type { BenchCase, CaseOptions } from "./bench-case.js";
import { inTurn, PARTITIONS } from "./gateway-cases.js";

const INSTANCES = 100_000;
const MANY_PARTITIONS = 64;
const COST_MAY_GROW_TO = 1.3;

/** What a report costs the gateway when there is more of something. */
export const GROWTH_GATEWAY: BenchCase = {
  name: "growth-gateway",
  title: "Growth: the gateway",
  needsContainers: true,
  run: async (lab, options) => ({
    figures: [await partitions(lab, options), await instances(lab, options)],
    notes: ["Closed loop over 512 connections."],
  }),
};

async function partitions(lab: Lab, options: CaseOptions): Promise<Figure> {
  const many = await lab.gateway(await lab.topicForLoad(MANY_PARTITIONS));
  const one = await lab.gateway(await lab.topicForLoad(1));
  const { ours, theirs } = await inTurn(
    { [`${MANY_PARTITIONS} partitions`]: { server: many }, "1 partition": { server: one } },
    options,
  );
  await Promise.all([many.process.stop(), one.process.stop()]);
  return comparison(
    `gateway: CPU per report, ${MANY_PARTITIONS} partitions`,
    "µs",
    ours.map((load) => load.cpuMicrosEach),
    { what: "1 partition", runs: theirs.map((load) => load.cpuMicrosEach) },
    atMost(COST_MAY_GROW_TO),
  );
}

/** One gateway each, so that what it keeps of many instances does not weigh on the other. */
async function instances(lab: Lab, options: CaseOptions): Promise<Figure> {
  const topic = await lab.topicForLoad(PARTITIONS);
  const many = await lab.gateway(topic);
  const one = await lab.gateway(topic);
  const plan = (count: number): Partial<LoadPlan> => ({
    population: { ...USUAL_POPULATION, instances: count, publishes: INSTANCES },
    distinct: INSTANCES,
  });
  const { ours, theirs } = await inTurn(
    {
      [`${INSTANCES} instances`]: { server: many, plan: plan(INSTANCES) },
      "1 instance": { server: one, plan: plan(1) },
    },
    options,
  );
  await Promise.all([many.process.stop(), one.process.stop()]);
  return comparison(
    `gateway: CPU per report, ${INSTANCES.toLocaleString("en")} instances`,
    "µs",
    ours.map((load) => load.cpuMicrosEach),
    { what: "1 instance", runs: theirs.map((load) => load.cpuMicrosEach) },
    atMost(COST_MAY_GROW_TO),
  );
}
