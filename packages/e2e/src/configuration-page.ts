import type { Option } from "@push-reports/service-kit";

/** Options by the theme that they belong to. */
export type OptionGroups = Readonly<Record<string, Readonly<Record<string, Option<unknown>>>>>;

/** A program and everything that it reads from its environment. */
export interface ConfiguredProgram {
  readonly name: string;
  readonly about: string;
  readonly groups: OptionGroups;
}

const INTRODUCTION = `# Configuration

Generated from the options that the packages declare: \`npm run docs\` writes it.

Every setting is an environment variable, read once when a program starts. All faults are reported together on standard
error, then the program ends with code 1. A variable that is set to nothing is a fault: unset it to get the default. A
secret may be given in a file instead, whose path is in the variable of the same name with \`_FILE\` at its end.
`;

/** docs/configuration.md: one table a program. */
export function configurationPage(programs: readonly ConfiguredProgram[]): string {
  return [INTRODUCTION, ...programs.map(programSection)].join("\n");
}

function programSection({ name, about, groups }: ConfiguredProgram): string {
  const options = Object.values(groups).flatMap((group) => Object.values(group));
  const rows = options
    .toSorted((a, b) => a.name.localeCompare(b.name, "en"))
    .map((option) => `| ${cellsOf(option).map(escapeCell).join(" | ")} |`);
  const head = "| variable | what it is for | value | default |\n| --- | --- | --- | --- |";
  return `## ${name}\n\n${about}\n\n${head}\n${rows.join("\n")}\n`;
}

function cellsOf(option: Option<unknown>): readonly string[] {
  const names = option.secret
    ? `\`${option.name}\`, \`${option.name}_FILE\``
    : `\`${option.name}\``;
  return [names, option.about, option.form, defaultOf(option.fallback)];
}

function defaultOf(fallback: unknown): string {
  if (fallback === undefined) return "must be set";
  if (fallback === null) return "not set";
  if (fallback === "") return "empty";
  return `\`${Array.isArray(fallback) ? fallback.join(",") : String(fallback)}\``;
}

const escapeCell = (text: string) => text.replaceAll("|", "\\|");
