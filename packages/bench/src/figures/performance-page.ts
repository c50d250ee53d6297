import type { Machine } from "../measure/machine.js";
import type { Figure } from "./figure.js";
import { figureTable } from "./figure-table.js";

/** What one case found, when, and on what. */
export interface MeasuredCase {
  readonly title: string;
  readonly measuredAt: string;
  readonly machine: Machine;
  readonly figures: readonly Figure[];
  readonly notes: readonly string[];
}

/** What docs/performance.json holds: the latest of each case by its name. */
export type Measurements = Readonly<Record<string, MeasuredCase>>;

const BEGIN = "<!-- figures of npm run bench: begin -->";
const END = "<!-- figures of npm run bench: end -->";

/** The page with its figures replaced; the rest is written by people. @throws Error when the page has no place for them. */
export function withFigures(page: string, measurements: Measurements): string {
  const from = page.indexOf(BEGIN);
  const to = page.indexOf(END);
  if (from === -1 || to < from) throw new Error(`The page lacks the lines ${BEGIN} and ${END}`);
  const sections = Object.values(measurements).map(sectionOf);
  return `${page.slice(0, from)}${[BEGIN, ...sections, ""].join("\n\n")}${page.slice(to)}`;
}

function sectionOf({ title, measuredAt, machine, figures, notes }: MeasuredCase): string {
  const rounds = Math.max(...figures.map(({ measured }) => measured.runs.length));
  const how =
    rounds === 1
      ? "one run"
      : `median of ${rounds} rounds ± half the distance between the extremes`;
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`);
  return [
    `### ${title}`,
    "",
    figureTable(figures),
    "",
    ...notes.map((note) => `- ${note}`),
    `- ${measuredAt.slice(0, 10)}, ${how}, on ${machine.cpu}, ` +
      `${machine.cores} cores, ${machine.memoryGib} GiB, ${machine.system}; ${versions.join(", ")}.`,
  ].join("\n");
}
