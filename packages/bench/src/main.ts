import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import { CASES } from "./cases/all-cases.js";
import type { BenchCase } from "./cases/bench-case.js";
import { type Figure, verdictOf } from "./figures/figure.js";
import { figureTable } from "./figures/figure-table.js";
import { type MeasuredCase, type Measurements, withFigures } from "./figures/performance-page.js";
import { thisMachine } from "./measure/machine.js";
import { type BenchOptions, readOptions, USAGE } from "./options.js";
import { Lab } from "./services/lab.js";

const PAGE = fileURLToPath(new URL("../../../docs/performance.md", import.meta.url));
const JSON_FILE = PAGE.replace(/\.md$/, ".json");

const options = readOptions(
  process.argv.slice(2),
  CASES.map(({ name }) => name),
);
if (typeof options === "string") {
  process.stderr.write(`${options}\n\n${USAGE}`);
  process.exitCode = 2;
} else {
  process.exitCode = await bench(options);
}

/** @returns the exit code. */
async function bench(given: BenchOptions): Promise<number> {
  const chosen = CASES.filter(({ name }) => given.only?.includes(name) ?? true);
  const noDocker = process.env["TEST_RUN_WITHOUT_DOCKER"] ?? "";
  const found: Record<string, MeasuredCase> = {};
  const notMeasured: string[] = [];
  for (const one of chosen) {
    process.stdout.write(`\n== ${one.title} (${one.name})\n`);
    try {
      if (one.needsContainers && noDocker !== "") throw new Error(noDocker);
      found[one.name] = await measure(one, given);
    } catch (error) {
      process.stdout.write(`  could not be measured: ${inspect(error)}\n`);
      notMeasured.push(one.name);
    }
  }
  const figures = Object.values(found).flatMap((one) => one.figures);
  process.stdout.write(`\n== Figures\n${figureTable(figures)}\n`);
  if (!given.isCheck) writePage(found);
  for (const name of notMeasured) process.stdout.write(`NOT MEASURED: ${name}\n`);
  const isMissed = given.isCheck && sayMissed(figures);
  return isMissed || notMeasured.length > 0 ? 1 : 0;
}

/** Each case has services of its own, so that none is measured on what another left behind. */
async function measure(one: BenchCase, given: BenchOptions): Promise<MeasuredCase> {
  const lab = new Lab();
  const end = () => void lab.dispose().finally(() => process.exit(130));
  process.once("SIGINT", end).once("SIGTERM", end);
  try {
    const { figures, notes } = await one.run(lab, {
      rounds: given.rounds,
      windowMs: given.windowSecs * 1_000,
      isLong: given.isLong,
      say: (text) => process.stdout.write(`  ${text}\n`),
    });
    const { title } = one;
    process.stdout.write(`${figureTable(figures)}\n`);
    const measuredAt = new Date().toISOString();
    return { title, measuredAt, machine: thisMachine(), figures, notes };
  } finally {
    process.off("SIGINT", end).off("SIGTERM", end);
    await lab.dispose();
  }
}

/** What was measured now replaces what was measured before, case by case. */
function writePage(found: Measurements): void {
  const before = JSON.parse(readFileSync(JSON_FILE, "utf8")) as Measurements;
  const all: Measurements = Object.fromEntries(
    CASES.flatMap(({ name }) => {
      const measured = found[name] ?? before[name];
      return measured === undefined ? [] : [[name, measured]];
    }),
  );
  writeFileSync(JSON_FILE, `${JSON.stringify(all, null, 2)}\n`);
  writeFileSync(PAGE, withFigures(readFileSync(PAGE, "utf8"), all));
  process.stdout.write("docs/performance.md and docs/performance.json are written\n");
}

/** @returns whether there are any. */
function sayMissed(figures: readonly Figure[]): boolean {
  const missed = figures.filter((one) => verdictOf(one) === "missed");
  for (const { what } of missed) process.stdout.write(`MISSED: ${what}\n`);
  return missed.length > 0;
}
