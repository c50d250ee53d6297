import type Joi from "joi";

/** Values of a question's parameters, by name, as they are bound to its SQL. */
export type Answers = Readonly<Record<string, string | number>>;

/** Something that the page asks of the database, declared as data. */
export interface Question {
  /** What it gives, in one sentence; shown with its SQL. */
  readonly about: string;
  /** What its parameters must be. Every value reaches the database as a bound parameter, never as text of the statement. */
  readonly parameters: Joi.ObjectSchema;
  /** The statement. Only words of our own decide about its text: a choice of a sort order, never a value from outside. */
  sql(answers: Answers): string;
}

const PLACE = /\{(\w+):([^}]+)\}/g;

/** Names of the parameters that a statement binds. */
export function boundNames(sql: string): ReadonlySet<string> {
  return new Set([...sql.matchAll(PLACE)].map(([, name = ""]) => name));
}

/** The statement with its values written out, for people to copy. It is shown and never run by us. */
export function sqlToCopy(sql: string, answers: Answers): string {
  return sql.replace(PLACE, (_place, name: string, type: string) => literal(answers[name], type));
}

function literal(value: string | number | undefined, type: string): string {
  if (typeof value === "number") return String(value);
  const text = `'${String(value ?? "")
    .replace(/\\/g, "\\\\")
    .replace(/'/g, "\\'")}'`;
  return type === "String" ? text : `${text}::${type}`;
}
