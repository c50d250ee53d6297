import { createPrivateKey, X509Certificate } from "node:crypto";

/** Gives the text of a file, or throws. */
export type ReadFile = (path: string) => string;

/**
 * One setting of a service, declared as data: how to read it, and what docs/configuration.md says of it.
 * `parse` throws an {@link OptionFault} that says what the value must be.
 */
export interface Option<T> {
  /** Environment variable. A secret is also read from the file that `<name>_FILE` names. */
  readonly name: string;
  /** What it is for, as a sentence or two. */
  readonly about: string;
  /** What a value is: its unit and limits, for people. */
  readonly form: string;
  /** Value when the variable is not set; undefined where it must be set. */
  readonly fallback: T | undefined;
  readonly secret: boolean;
  readonly parse: (text: string, readFile: ReadFile) => T;
}

/** Says what is wrong with a value and what it must be. Never holds a secret's value. */
export class OptionFault extends Error {
  override readonly name = "OptionFault";
  readonly code = "option_fault";
}

interface Declared<T> {
  readonly name: string;
  readonly about: string;
  readonly fallback?: T;
}

const declare = <T>(
  from: Declared<T>,
  form: string,
  parse: (text: string, readFile: ReadFile) => T,
  secret = false,
): Option<T> => ({
  name: from.name,
  about: from.about,
  form,
  fallback: from.fallback,
  secret,
  parse,
});

const mustBe = (what: string): never => {
  throw new OptionFault(`must be ${what}`);
};

/** A whole number from `min` to `max`. */
export function integerOption(
  from: Declared<number> & { readonly unit: string; readonly min: number; readonly max: number },
): Option<number> {
  const form = `${from.unit}, ${from.min} to ${from.max}`;
  return declare(from, form, (text) => {
    const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
    return value >= from.min && value <= from.max
      ? value
      : mustBe(`a whole number from ${from.min} to ${from.max} (${from.unit})`);
  });
}

/** Any text that is not empty. */
export function textOption(from: Declared<string> & { readonly form: string }): Option<string> {
  return declare(from, from.form, (text) => text);
}

/** Text that matches a pattern; `form` says in words what that is. */
export function patternOption(
  from: Declared<string> & { readonly form: string; readonly pattern: RegExp },
): Option<string> {
  return declare(from, from.form, (text) =>
    from.pattern.test(text) ? text : mustBe(`${from.form}, not ${JSON.stringify(text)}`),
  );
}

/** A value that never prints and may come from a file. @param from `minLength` for one that must not be guessed, characters. */
export function secretOption(
  from: Declared<string> & { readonly minLength?: number },
): Option<string> {
  const { minLength = 0 } = from;
  const form = minLength === 0 ? "secret text" : `secret text, ${minLength} characters or more`;
  const parse = (text: string) => (text.length < minLength ? mustBe(form) : text);
  return declare(from, form, parse, true);
}

/** `true` or `false`. */
export function booleanOption(from: Declared<boolean>): Option<boolean> {
  return declare(from, "true or false", (text) => {
    if (text === "true") return true;
    return text === "false" ? false : mustBe("true or false");
  });
}

/** One of a list of words. */
export function choiceOption<T extends string>(
  from: Declared<T> & { readonly choices: readonly T[] },
): Option<T> {
  const form = from.choices.join(", ");
  return declare(
    from,
    form,
    (text) => from.choices.find((choice) => choice === text) ?? mustBe(`one of ${form}`),
  );
}

/** Comma-separated values, at least one, blanks around them ignored. */
export function listOption(
  from: Declared<readonly string[]> & { readonly form: string; readonly pattern: RegExp },
): Option<readonly string[]> {
  return declare(from, from.form, (text) => {
    const values = text.split(",").map((value) => value.trim());
    return values.every((value) => from.pattern.test(value))
      ? Object.freeze(values)
      : mustBe(from.form);
  });
}

/** An http or https URL without user, password, query and fragment, which belong elsewhere. What is refused is not said again: it may be secret. */
export function urlOption(from: Declared<string>): Option<string> {
  return declare(from, "http or https URL", (text) =>
    isPlainUrl(text)
      ? text
      : mustBe("an http or https URL without user, password, query and fragment"),
  );
}

/** A {@link urlOption} that has no path either. */
export function originOption(from: Declared<string>): Option<string> {
  return declare(from, "http or https URL of a host and port", (text) =>
    isPlainUrl(text) && new URL(text).pathname === "/"
      ? text
      : mustBe("an http or https URL of nothing but a host and a port"),
  );
}

function isPlainUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  // An empty query or fragment is dropped when it is parsed.
  return /^https?:$/.test(protocol) && username + password === "" && !/[?#]/.test(text);
}

const CERTIFICATE_BLOCK = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** A PEM file with one certificate or more; the value is its text. */
export function certificatesOption(from: Declared<string>): Option<string> {
  return pemFileOption(from, "certificate", (pem) => {
    const blocks = pem.match(CERTIFICATE_BLOCK) ?? [];
    if (blocks.length === 0) throw new OptionFault("There is none");
    for (const block of blocks) new X509Certificate(block);
  });
}

/** A PEM file with a private key that has no passphrase; the value is its text. */
export function privateKeyOption(from: Declared<string>): Option<string> {
  return pemFileOption(from, "private key without a passphrase", (pem) => createPrivateKey(pem));
}

function pemFileOption(
  from: Declared<string>,
  content: string,
  decode: (pem: string) => unknown,
): Option<string> {
  return declare(from, "path of a PEM file", (path, readFile) => {
    const pem = readOrFault(path, readFile);
    try {
      decode(pem);
    } catch {
      throw new OptionFault(`names a file without a good ${content} in PEM form: ${path}`);
    }
    return pem;
  });
}

function readOrFault(path: string, readFile: ReadFile): string {
  try {
    return readFile(path);
  } catch {
    throw new OptionFault(`names a file that cannot be read: ${path}`);
  }
}

/** Makes an option that may stay unset: its value is then null. */
export function optional<T>(option: Option<T>): Option<T | null> {
  return { ...option, fallback: null };
}
