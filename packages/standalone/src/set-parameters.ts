import { escapeText, quoteText } from "./quote-text.js";

/**
 * The statements that set values of `{name:Type}` parameters on a connection, however long they are.
 * @throws TypeError for what is no text, exact number, truth value, or list of those.
 */
export function setParameters(values: Readonly<Record<string, unknown>>): string {
  const settings = Object.entries(values).map(
    ([name, value]) => `param_${name} = ${quoteText(parameterText(value))}`,
  );
  return `SET max_query_size = 0; SET ${settings.join(", ")}`;
}

/** A value as the engine reads it for a parameter: as in TabSeparated. */
function parameterText(value: unknown): string {
  if (value === null || value === undefined) return "\\N";
  if (typeof value === "string") return escapeText(value);
  return literal(value);
}

/** A value within a list. */
function literal(value: unknown): string {
  if (typeof value === "string") return quoteText(value);
  if (typeof value === "bigint" || typeof value === "boolean" || isExact(value))
    return String(value);
  if (Array.isArray(value)) return `[${value.map(literal).join(",")}]`;
  throw new TypeError("A parameter is a text, an exact number, a truth value, or a list of those");
}

/** Whether a value is a number that still is the one that was meant: a large whole one may not be. */
const isExact = (value: unknown): value is number =>
  Number.isSafeInteger(value) || (Number.isFinite(value) && !Number.isInteger(value));
