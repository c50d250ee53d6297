import { parseArgs } from "node:util";

const USAGE = `npm run test:faults -- [--seeds N] [--seed N] [--mutate] [arguments for Jest]
  --seeds N   so many schedules, from a seed of this run's own or the one given; the default is one round: every fault three times
  --seed N    the schedule of this seed alone; with --seeds the first of so many
  --mutate    breaks the consumer in one way after the other: one of the schedules must fail for each`;
const OPTIONS = {
  seeds: { type: "string" },
  seed: { type: "string" },
  mutate: { type: "boolean", default: false },
};
/** Seeds of one round: packages/consumer/test/faults/support/schedule.ts, and a test that compares. */
export const ROUND = 30;
const ROUNDS = 100_000;

/** Reads what the fault suite takes, tells it through the environment, and prints the seeds. */
export function prepareFaults(args) {
  const { values, tokens } = parseArgs({ args, options: OPTIONS, strict: false, tokens: true });
  const ours = new Set();
  for (const token of tokens) {
    if (token.kind !== "option" || !(token.name in OPTIONS)) continue;
    ours.add(token.index);
    if (token.value !== undefined && !token.inlineValue) ours.add(token.index + 1);
  }
  const numbers = [values.seeds, values.seed].filter((value) => value !== undefined);
  if (!numbers.every((value) => /^\d{1,9}$/.test(value))) {
    console.error(USAGE);
    process.exit(2);
  }
  const first = Number(values.seed ?? Math.floor(Math.random() * ROUNDS) * ROUND);
  const count = Number(values.seeds ?? (values.seed === undefined ? ROUND : 1));
  process.env.FAULT_FIRST_SEED = String(first);
  process.env.FAULT_SEEDS = String(count);
  console.log(`Faults: seeds ${first} to ${first + count - 1}`);
  return {
    project: values.mutate ? "mutants" : "faults",
    rest: args.filter((_, index) => !ours.has(index)),
  };
}
