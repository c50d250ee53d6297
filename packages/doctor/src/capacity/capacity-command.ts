import { parseArgs } from "node:util";
import { CapacityPlan, type CapacityWish, USUAL_WISH } from "./capacity-plan.js";
import { planText, scenariosOf } from "./capacity-text.js";
import { MEASURED_COSTS } from "./measured-costs.js";

const USAGE = `capacity --reports-per-day N [--peak N] [options]
What a deployment of that size needs, with the formulas, and what bursts and outages do to it. It looks at nothing and changes nothing.
  --reports-per-day N   e.g. 1e9
  --peak N              the busiest minutes against the average (5)
  --outage-hours N      an outage that nothing may be lost in (${USUAL_WISH.outageHours})
  --topic-days N        retention of the topic (${USUAL_WISH.topicDays})
  --table-months N      RETENTION_MONTHS (${USUAL_WISH.tableMonths})
  --broker-replicas N   (${USUAL_WISH.brokerReplicas})
  --table-replicas N    (${USUAL_WISH.tableReplicas})
  --json
The costs of a report are measured ones, on two cores: docs/capacity.md.
`;
const USUAL_PEAK = 5;

/** Each option, what it sets, and its bounds. */
const NUMBERS = {
  "reports-per-day": ["reportsPerDay", 1, 1e13],
  peak: ["peak", 1, 1_000],
  "outage-hours": ["outageHours", 0.1, 24],
  "topic-days": ["topicDays", 0.1, 365],
  "table-months": ["tableMonths", 1, 600],
  "broker-replicas": ["brokerReplicas", 1, 9],
  "table-replicas": ["tableReplicas", 1, 9],
} as const satisfies Readonly<Record<string, readonly [keyof CapacityWish, number, number]>>;

/** Runs the command. @returns its exit code: 0, or 2 when it was called wrongly. */
export function runCapacity(
  args: readonly string[],
  write: { readonly out: (text: string) => void; readonly error: (text: string) => void },
): number {
  let read: ReturnType<typeof readArguments>;
  try {
    read = readArguments(args);
  } catch (error) {
    write.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return 2;
  }
  if (read === null) {
    write.error(USAGE);
    return 0;
  }
  const plan = new CapacityPlan(read.wish, MEASURED_COSTS);
  const { quantities, costs } = plan;
  const asJson = () =>
    `${JSON.stringify({ wish: plan.wish, costs, quantities, scenarios: scenariosOf(plan) })}\n`;
  write.out(read.asJson ? asJson() : planText(plan));
  return 0;
}

/** Null when help is asked for. @throws Error for what cannot be used. */
function readArguments(
  args: readonly string[],
): { readonly wish: CapacityWish; readonly asJson: boolean } | null {
  const wish: Record<string, number> = { ...USUAL_WISH, peak: USUAL_PEAK };
  const numbers = Object.keys(NUMBERS).map((name) => [name, { type: "string" }] as const);
  const { values: flags, tokens } = parseArgs({
    args: [...args],
    options: {
      ...Object.fromEntries(numbers),
      json: { type: "boolean" },
      help: { type: "boolean" },
    },
    tokens: true,
  });
  if (flags.help === true) return null;
  for (const token of tokens) {
    const entry = token.kind === "option" ? bounds(token.name) : undefined;
    if (token.kind !== "option" || entry === undefined) continue;
    const [key, min, max] = entry;
    const value = Number(token.value);
    if (!(value >= min && value <= max))
      throw new Error(`--${token.name} needs a number from ${min} to ${max}`);
    wish[key] = value;
  }
  if (wish["reportsPerDay"] === undefined) throw new Error("--reports-per-day is needed");
  return { wish: wish as unknown as CapacityWish, asJson: flags.json === true };
}

const bounds = (name: string) => Object.entries(NUMBERS).find(([option]) => option === name)?.[1];
