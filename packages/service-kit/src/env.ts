import { type Option, OptionFault, type ReadFile } from "./options.js";

const CONTRADICTIONS = Symbol("contradictions");

/** The options of a service, by the name that its code uses. */
export type Options = Readonly<Record<string, Option<unknown>>> & {
  readonly [CONTRADICTIONS]?: (values: never) => readonly string[];
};
/** The values that a set of options gives. */
export type ConfigOf<T extends Options> = {
  readonly [K in Extract<keyof T, string>]: T[K] extends Option<infer V> ? V : never;
};
/** Variables by name, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Everything that is wrong with an environment, one sentence a fault. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly code = "config_invalid";
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(`The configuration has ${faults.length} fault(s): ${faults.join("; ")}`);
    this.faults = faults;
  }
}

/**
 * Options that can contradict each other.
 * @param find names what contradicts, one sentence a fault. Values that are faulty by themselves are undefined.
 */
export function withContradictions<const T extends Options>(
  options: T,
  find: (values: Partial<ConfigOf<T>>) => readonly string[],
): T {
  return { ...options, [CONTRADICTIONS]: find };
}

/**
 * Reads every option once into a frozen object.
 * @param readFile gives the text of a file that an option names.
 * @throws ConfigError naming all faults together.
 */
export function readConfig<T extends Options>(
  options: T,
  environment: Environment,
  readFile: ReadFile,
): ConfigOf<T> {
  const { config, faults } = readGroup(options, environment, readFile);
  if (faults.length > 0) throw new ConfigError(faults);
  return config;
}

/** Values that are faulty by themselves are undefined. */
function readGroup<T extends Options>(options: T, environment: Environment, readFile: ReadFile) {
  const faults: string[] = [];
  const entries = Object.entries(options).map(([key, option]) => {
    try {
      return [key, readOption(option, environment, readFile)] as const;
    } catch (error) {
      if (!(error instanceof OptionFault)) throw error;
      faults.push(`${option.name} ${error.message}`);
      return [key, undefined] as const;
    }
  });
  const config = Object.freeze(Object.fromEntries(entries)) as ConfigOf<T>;
  faults.push(...(options[CONTRADICTIONS]?.(config as never) ?? []));
  return { config, faults };
}

function readOption(
  option: Option<unknown>,
  environment: Environment,
  readFile: ReadFile,
): unknown {
  const text = option.secret ? readSecret(option, environment, readFile) : environment[option.name];
  if (text === undefined) {
    if (option.fallback === undefined) throw new OptionFault(`is not set: ${option.form}`);
    return option.fallback;
  }
  if (text.trim() === "" && !option.secret)
    throw new OptionFault(`is empty: unset it or give a value (${option.form})`);
  return option.parse(text, readFile);
}

function readSecret(
  option: Option<unknown>,
  environment: Environment,
  readFile: ReadFile,
): string | undefined {
  const direct = environment[option.name];
  const path = environment[`${option.name}_FILE`];
  if (path === undefined) return direct;
  if (direct !== undefined)
    throw new OptionFault(`and ${option.name}_FILE are both set: keep one of them`);
  try {
    return readFile(path).replace(/\r?\n$/, "");
  } catch {
    throw new OptionFault(`cannot be read: ${option.name}_FILE names a file that cannot be opened`);
  }
}

/** Options by theme. */
export type OptionGroups = Readonly<Record<string, Options>> & {
  readonly [CONTRADICTIONS]?: (values: never) => readonly string[];
};
/** The values that groups of options give. */
export type ConfigOfGroups<T extends OptionGroups> = {
  readonly [K in Extract<keyof T, string>]: ConfigOf<T[K]>;
};

/** Groups that can contradict each other, as options can: see {@link withContradictions}. */
export function withContradictionsOfGroups<const T extends OptionGroups>(
  groups: T,
  find: (
    values: {
      readonly [K in Extract<keyof T, string>]: Partial<ConfigOf<T[K]>>;
    },
  ) => readonly string[],
): T {
  return { ...groups, [CONTRADICTIONS]: find };
}

/** Reads several groups of options as {@link readConfig} reads one. @throws ConfigError naming the faults of all groups together. */
export function readConfigGroups<T extends OptionGroups>(
  groups: T,
  environment: Environment,
  readFile: ReadFile,
): ConfigOfGroups<T> {
  const faults: string[] = [];
  const entries = Object.entries(groups).map(([key, options]) => {
    const read = readGroup(options, environment, readFile);
    faults.push(...read.faults);
    return [key, read.config] as const;
  });
  const config = Object.freeze(Object.fromEntries(entries)) as ConfigOfGroups<T>;
  faults.push(...(groups[CONTRADICTIONS]?.(config as never) ?? []));
  if (faults.length > 0) throw new ConfigError([...new Set(faults)]);
  return config;
}
