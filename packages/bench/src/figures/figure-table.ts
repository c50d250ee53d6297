import { type Figure, type Verdict, verdictOf } from "./figure.js";
import type { Spread } from "./spread.js";

const WORDS: Readonly<Record<Verdict, string>> = {
  met: "met",
  "within noise": "missed, within noise",
  missed: "**missed**",
  "no target": "",
};

/** Figures as a table of Markdown, which reads as well on a terminal. */
export function figureTable(figures: readonly Figure[]): string {
  const rows = [
    ["what", "figure", "against", "ratio", "target", "met"],
    ...figures.map((one) => cellsOf(one)),
  ];
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  const lines = rows.map(
    (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`,
  );
  lines.splice(1, 0, `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`);
  return lines.join("\n");
}

function cellsOf(one: Figure): string[] {
  const { what, unit, measured, against, ratio, target } = one;
  return [
    what,
    `${readable(measured.median)} ${unit}`,
    against === undefined ? "" : `${against.what}: ${readable(against.measured.median)} ${unit}`,
    ratio === undefined ? "" : withNoise(ratio),
    target === undefined
      ? ""
      : `${target.reach === "at most" ? "≤" : "≥"} ${readable(target.value)}`,
    WORDS[verdictOf(one)],
  ];
}

const withNoise = ({ median, noise }: Spread) => `${readable(median)} ± ${readable(noise)}`;

/** Three digits that matter. */
function readable(value: number): string {
  if (!Number.isFinite(value)) return "none";
  return value.toLocaleString("en", { maximumSignificantDigits: value >= 1_000 ? 4 : 3 });
}
