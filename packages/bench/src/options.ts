/** What `npm run bench` was asked for. */
export interface BenchOptions {
  /** Whether to fail when a target is missed by more than its noise; then nothing is written. */
  readonly isCheck: boolean;
  readonly isLong: boolean;
  /** Names of the cases to run; null runs all. */
  readonly only: readonly string[] | null;
  readonly rounds: number;
  readonly windowSecs: number;
}

/** How the bench is called. */
export const USAGE = `npm run bench -- [--check] [--only CASE,…] [--rounds N] [--window SECONDS] [--long]

  --check    ends with code 1 when a target is missed by more than its noise, and writes nothing
  --only     some of the cases
  --rounds   how often each pair is measured; 3 if not given
  --window   how long one window of load is measured, s; 8 if not given
  --long     10 minutes of full load for the gateway's memory, and 10 million records for growth
`;

const DEFAULTS: BenchOptions = {
  isCheck: false,
  isLong: false,
  only: null,
  rounds: 3,
  windowSecs: 8,
};

/** Reads the arguments. @returns a sentence about what is wrong with them instead, when something is. */
export function readOptions(
  args: readonly string[],
  cases: readonly string[],
): BenchOptions | string {
  let options = DEFAULTS;
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === "--check") options = { ...options, isCheck: true };
    else if (arg === "--long") options = { ...options, isLong: true };
    else if (arg === "--only") {
      const only = (rest.shift() ?? "").split(",");
      const unknown = only.filter((name) => !cases.includes(name));
      if (unknown.length > 0)
        return `There is no case ${unknown.join(", ")}. Cases: ${cases.join(", ")}`;
      options = { ...options, only };
    } else if (arg === "--rounds" || arg === "--window") {
      const value = Number(rest.shift());
      if (!Number.isInteger(value) || value < 1) return `${arg} needs a whole number from 1`;
      options = { ...options, [arg === "--rounds" ? "rounds" : "windowSecs"]: value };
    } else return `There is no argument ${arg}`;
  }
  return options;
}
