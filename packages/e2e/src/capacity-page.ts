import {
  BENCH_FIGURES,
  CapacityPlan,
  MEASURED_COSTS,
  type MeasuredCosts,
  readable,
  SCENARIO_HEADS,
  scenarioCells,
  scenariosOf,
  USUAL_WISH,
} from "@push-reports/doctor";

const SIZES = [1e7, 1e8, 1e9, 1e10];
const PEAK = 5;
const SHOWN = 1e9;

const ABOUT: Readonly<Record<keyof MeasuredCosts, readonly [what: string, source: string]>> = {
  gatewayPerSecond: ["durable reports/s of one gateway process", ""],
  gatewayMicros: ["processor time of the gateway for a report, µs", ""],
  consumerPerSecond: ["rows/s of one consumer process from a backlog", ""],
  consumerMicros: ["processor time of the consumer for a row, µs", ""],
  clickHouseMicros: ["processor time of ClickHouse for a row, all tables and views, µs", ""],
  recordBytes: [
    "bytes of a record on a broker, without compression",
    "Kafka's record encoding of a sample report (`doctor/test/unit/capacity`)",
  ],
  rowBytes: [
    "bytes of a report in all tables of a replica, after merges",
    "[docs/analytics.md](analytics.md), 19 million reports",
  ],
  spilledBytes: [
    "bytes of a report in a spill",
    "`SPILL_MAX_BYTES` in [configuration](configuration.md)",
  ],
};

const INTRODUCTION = `# Capacity

Generated from \`packages/doctor/src/capacity\`: \`npm run docs\` writes it. For a size of your own:

    docker run --rm push-reports capacity --reports-per-day 1e9 --peak 5

It is arithmetic on measured costs. They were measured on two cores that load generator, broker and database shared, so that a process on a machine of its
own does more. Measure yours with \`npm run bench\` before you buy.
`;

/** docs/capacity.md. */
export function capacityPage(): string {
  const plans = SIZES.map(
    (reportsPerDay) =>
      new CapacityPlan({ ...USUAL_WISH, reportsPerDay, peak: PEAK }, MEASURED_COSTS),
  );
  const shown = new CapacityPlan(
    { ...USUAL_WISH, reportsPerDay: SHOWN, peak: PEAK },
    MEASURED_COSTS,
  );
  return [
    INTRODUCTION,
    costs(),
    formulas(shown),
    sizes(plans),
    drivers(shown),
    scenarios(shown),
    LIMITS,
  ].join("\n");
}

function costs(): string {
  const rows = Object.entries(ABOUT).map(([cost, [what, source]]) => {
    const key = cost as keyof MeasuredCosts;
    const [benchCase] = BENCH_FIGURES[key] ?? [];
    const from =
      benchCase === undefined
        ? source
        : `\`npm run bench\`, case \`${benchCase}\` ([performance](performance.md))`;
    const value = MEASURED_COSTS[key].toLocaleString("en-US");
    return [what, value, from];
  });
  return `## Costs\n\n${table(["cost", "measured", "by"], rows)}\n`;
}

function formulas(plan: CapacityPlan): string {
  const rows = plan.quantities.map((quantity) => [
    quantity.name,
    readable(quantity),
    quantity.formula,
  ]);
  return `## A billion reports a day, peak ${PEAK}\n\n${table(["quantity", "value", "formula"], rows)}\n`;
}

function sizes(plans: readonly CapacityPlan[]): string {
  const names = plans[0]?.quantities.map(({ name }) => name) ?? [];
  const rows = names.map((name, index) => [
    name,
    ...plans.map(({ quantities }) => {
      const quantity = quantities[index];
      return quantity === undefined ? "" : readable(quantity);
    }),
  ]);
  const heads = plans.map(({ wish }) => `${wish.reportsPerDay.toLocaleString("en-US")} a day`);
  return `## Other sizes\n\n${table(["quantity", ...heads], rows)}\n`;
}

function drivers(plan: CapacityPlan): string {
  const shares = plan.diskShares.map(({ name, share }) => `${Math.round(share * 100)} % ${name}`);
  return `## What it costs

Disks are the larger part, and of them ${shares.join(", ")}. In order of what they save:

- \`RETENTION_MONTHS\`: disk of ClickHouse is in proportion. The roll-ups by hour take 2 of ${MEASURED_COSTS.rowBytes} bytes.
- Replicas of ClickHouse: three cost three times one. One and backups are cheaper, and lose hours.
- The topic's retention: it bounds the outage that nothing is lost in. Seven days are a long weekend and some.
- \`COMPRESSION=gzip\` in gateways: less disk and network of Kafka, for processor time of gateways.
- Processors are few: ${plan.gateways} gateways and ${plan.consumers} consumers carry a billion reports a day.
`;
}

function scenarios(plan: CapacityPlan): string {
  const rows = scenariosOf(plan).map((scenario) => scenarioCells(plan, scenario));
  return `## Bursts and outages

A simulation of that size, second by second, over two days: half of the average at night, one rise to the peak at noon, and the planned consumers, which are used to
a half of what was measured.

${table(SCENARIO_HEADS, rows)}

Nothing is lost in any of them: gateways answer 200 as soon as Kafka has a report, and Kafka keeps it for ${plan.wish.topicDays} days. Besides, a report waits
for a second or two at any time (\`MAX_DELAY_MS\`).
`;
}

const LIMITS = `## Limits

- One shard: a single ClickHouse server has to take all rows ([decision 0010](decisions/0010-replicated-tables.md)). With a quorum, inserts into a table are made one after the other: larger ranges help, more
  consumers do not.
- Consumers beyond the number of partitions idle. Partitions can be added at any time.
- Gateways behind one load balancer: its own limits of connections come first.
`;

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(heads), line(heads.map(() => "---")), ...rows.map(line)].join("\n");
}
