import { ConfigError } from "./env.js";

/** An error as the lines that a person reads on stderr. */
export function explain(error: unknown): string {
  if (!(error instanceof ConfigError))
    return `${error instanceof Error ? error.message : String(error)}\n`;
  const faults = error.faults.map((fault) => `  - ${fault}\n`).join("");
  return `The configuration cannot be used:\n${faults}Every setting is described in docs/configuration.md.\n`;
}
