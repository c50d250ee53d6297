import type { CapacityPlan, Quantity } from "./capacity-plan.js";
import { awayAtNoon, dayOf, type QueueHistory, simulateQueue } from "./simulate-queue.js";

/** A stretch that the plan is looked at in. */
export interface Scenario {
  readonly name: string;
  readonly history: QueueHistory;
}

const DAY_SECS = 86_400;
/** A campaign to everybody at once: so many times the peak, for so long. */
const BURST = { times: 3, seconds: 600 };

/** What the planned consumers do on a day, in a burst and in an outage. */
export function scenariosOf(plan: CapacityPlan): readonly Scenario[] {
  const { averagePerSecond, peakPerSecond, consumedPerSecond, wish } = plan;
  const day = dayOf(averagePerSecond, peakPerSecond);
  const [noon, seconds] = [DAY_SECS / 2, 2 * DAY_SECS];
  const burst = (at: number) =>
    at >= noon && at < noon + BURST.seconds ? BURST.times * peakPerSecond : day(at);
  const always = () => consumedPerSecond;
  const away = awayAtNoon(consumedPerSecond, wish.outageHours);
  return [
    { name: "an ordinary day", history: simulateQueue({ comes: day, goes: always, seconds }) },
    {
      name: `${BURST.times} × the peak for ${BURST.seconds / 60} minutes`,
      history: simulateQueue({ comes: burst, goes: always, seconds }),
    },
    {
      name: `ClickHouse away for ${wish.outageHours} h around the peak`,
      history: simulateQueue({ comes: day, goes: away, seconds }),
    },
  ];
}

/** One line of Markdown table cells a scenario. */
export function scenarioCells(plan: CapacityPlan, { name, history }: Scenario): readonly string[] {
  const { mostRecords, oldestSecs, emptyAtSecs, longestAtSecs } = history;
  const drains = emptyAtSecs === null ? null : emptyAtSecs - longestAtSecs;
  return [
    name,
    figure(mostRecords),
    bytes(mostRecords * plan.costs.recordBytes * plan.wish.brokerReplicas),
    time(oldestSecs),
    drains === null ? "not within the day after" : time(Math.max(0, drains)),
  ];
}

/** A quantity as people read it. */
export function readable({ value, unit }: Quantity): string {
  if (unit === "bytes") return bytes(value);
  if (unit === "bytes/s") return `${bytes(value)}/s`;
  if (unit === "cores") return `${value.toFixed(1)} cores`;
  return `${figure(value)} ${unit}`;
}

const figure = (n: number) => Math.round(n).toLocaleString("en-US");

function bytes(value: number): string {
  const units = ["bytes", "KB", "MB", "GB", "TB", "PB"];
  const step = value < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(value) / 3));
  const scaled = value / 1_000 ** step;
  return `${scaled < 10 && step > 0 ? scaled.toFixed(1) : Math.round(scaled)} ${units[step]}`;
}

function time(seconds: number): string {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3_600) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3_600).toFixed(1)} h`;
}

/** A plan as lines for a terminal. */
export function planText(plan: CapacityPlan): string {
  const width = Math.max(...plan.quantities.map(({ name }) => name.length));
  const lines = plan.quantities.map(
    (quantity) =>
      `${quantity.name.padEnd(width)}  ${readable(quantity).padStart(18)}   ${quantity.formula}`,
  );
  const shares = plan.diskShares.map(({ name, share }) => `${Math.round(share * 100)} % ${name}`);
  const [nameHead, ...heads] = SCENARIO_HEADS;
  const scenarios = scenariosOf(plan).map((scenario) => {
    const [name, ...cells] = scenarioCells(plan, scenario);
    return `${name}: ${cells.map((cell, index) => `${heads[index]} ${cell}`).join(", ")}`;
  });
  return [
    ...lines,
    "",
    `Of all disks: ${shares.join(", ")}`,
    "",
    `By ${nameHead}:`,
    ...scenarios,
    "",
  ].join("\n");
}

/** Heads of the table of scenarios. */
export const SCENARIO_HEADS = [
  "scenario",
  "most records waiting on Kafka",
  "their disk there",
  "oldest report that cannot be queried",
  "time to drain from the most",
] as const;
