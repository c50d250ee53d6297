import { atMost, comparison, type Figure } from "../figures/figure.js";
import { type Population, USUAL_POPULATION } from "../load/sdk-reports.js";
import { type Backlog, produceBacklog } from "../services/backlog.js";
import type { Lab } from "../services/lab.js";
import type { Drain } from "../services/watch-drain.js";
import type { BenchCase, CaseOptions } from "./bench-case.js";
import { drainLine } from "./consumer-case.js";
import { drainWithConsumer } from "./drains.js";
import { PARTITIONS } from "./gateway-cases.js";

const COST_MAY_GROW_TO = 1.3;
const RECORDS = 300_000;
/** Enough that the ranges of each of 64 partitions are not tiny. */
const RECORDS_OF_PARTITIONS = 1_000_000;
const SMALL_BACKLOG = 100_000;
const BIG_BACKLOG = 2_000_000;
const BIG_BACKLOG_IN_FULL = 10_000_000;

/** A topic, in so far as it differs from the usual one. */
interface Shape {
  readonly records?: number;
  readonly partitions?: number;
  readonly population?: Partial<Population>;
}

interface Growth {
  readonly what: string;
  readonly from: { readonly what: string } & Shape;
  readonly to: Shape;
}

/** What a row costs when there is more of something. */
export const GROWTH_CONSUMER: BenchCase = {
  name: "growth-consumer",
  title: "Growth: consumer and database",
  needsContainers: true,
  run: async (lab, options) => {
    const figures: Figure[] = [];
    for (const growth of growths(options.isLong))
      figures.push(...(await measure(lab, growth, options)));
    return {
      figures,
      notes: [
        `${RECORDS.toLocaleString("en")} records each, ${RECORDS_OF_PARTITIONS.toLocaleString("en")} for the partitions, but where the backlog is what grows.`,
        ...(options.isLong
          ? []
          : [
              `The large backlog has ${BIG_BACKLOG.toLocaleString("en")} records instead of 10 million, which \`--long\` takes.`,
            ]),
        "Processor time includes the process's start, which weighs on small backlogs.",
      ],
    };
  },
};

function growths(isLong: boolean): readonly Growth[] {
  const big = isLong ? BIG_BACKLOG_IN_FULL : BIG_BACKLOG;
  return [
    {
      what: "64 partitions",
      from: { what: "1 partition", records: RECORDS_OF_PARTITIONS, partitions: 1 },
      to: { records: RECORDS_OF_PARTITIONS, partitions: 64 },
    },
    {
      what: `a backlog of ${big.toLocaleString("en")}`,
      from: { what: `of ${SMALL_BACKLOG.toLocaleString("en")}`, records: SMALL_BACKLOG },
      to: { records: big },
    },
    {
      what: "100,000 instances",
      from: { what: "1 instance", population: { instances: 1, publishes: 100_000 } },
      to: { population: { instances: 100_000, publishes: 100_000 } },
    },
    {
      what: "1,000,000 publishes",
      from: { what: "10 publishes", population: { instances: 10, publishes: 10 } },
      to: { population: { instances: 10, publishes: 1_000_000 } },
    },
  ];
}

async function measure(lab: Lab, growth: Growth, options: CaseOptions): Promise<readonly Figure[]> {
  const sides = {
    to: { backlog: await produce(lab, growth.to), drains: [] as Drain[] },
    from: { backlog: await produce(lab, growth.from), drains: [] as Drain[] },
  };
  for (let round = 0; round < options.rounds; round += 1) {
    const order = round % 2 === 0 ? [sides.to, sides.from] : [sides.from, sides.to];
    for (const { backlog, drains } of order) drains.push(await drainWithConsumer(lab, backlog));
    const said = [sides.to, sides.from].map(({ drains }) => drainLine(drains.at(-1) as Drain));
    options.say(`${growth.what}: ${said[0]}; ${growth.from.what}: ${said[1]}`);
  }
  return (["consumer", "clickHouse"] as const).map((name) => {
    const cpu = (drains: readonly Drain[]) =>
      drains.map(({ cpuMicrosEach }) => cpuMicrosEach[name] ?? Number.NaN);
    return comparison(
      `${name === "consumer" ? "consumer" : "ClickHouse"}: CPU a row, ${growth.what}`,
      "µs",
      cpu(sides.to.drains),
      { what: growth.from.what, runs: cpu(sides.from.drains) },
      atMost(COST_MAY_GROW_TO),
    );
  });
}

async function produce(lab: Lab, shape: Shape): Promise<Backlog> {
  return await produceBacklog(await lab.kafka(), {
    records: shape.records ?? RECORDS,
    partitions: shape.partitions ?? PARTITIONS,
    population: { ...USUAL_POPULATION, ...shape.population },
  });
}
