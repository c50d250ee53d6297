import { UUID_PATTERN } from "@push-reports/report";

/** Whose data is to be removed: one user or one device of one instance. */
export interface ErasureSubject {
  /** Lower case. */
  readonly instanceId: string;
  readonly kind: "user" | "device";
  readonly id: string;
}

/** Column of `reports` that names the subject. */
export const SUBJECT_COLUMN = { user: "user_id", device: "device_id" } as const;

/** What was said on the command line, or what is wrong with it. */
export function readSubject(said: {
  readonly instance?: string | undefined;
  readonly user?: string | undefined;
  readonly device?: string | undefined;
}): ErasureSubject {
  const { instance = "", user, device } = said;
  if (!UUID_PATTERN.test(instance))
    throw new Error(`--instance must be an instance's id, a UUID, not ${JSON.stringify(instance)}`);
  if ((user === undefined) === (device === undefined))
    throw new Error("Say either --user or --device, and only one of them");
  const id = user ?? device ?? "";
  if (id === "") throw new Error("The id must not be empty");
  const kind = user === undefined ? "device" : "user";
  return { instanceId: instance.toLowerCase(), kind, id };
}

/** Parameters that the conditions below use. */
export function subjectParams(subject: ErasureSubject): Readonly<Record<string, string>> {
  const { instanceId, kind, id } = subject;
  const spellings = spellingsOf(id);
  const keys = SUBJECT_KEYS[kind].join("|");
  return {
    instance: instanceId,
    subject: id,
    // As JSON: the client does not escape quotes within an `Array(String)` parameter.
    spellings: JSON.stringify(spellings),
    named: `"(?:${keys})"\\s*:\\s*"(?:${spellings.map(asPattern).join("|")})"`,
  };
}

/** Condition on rows of `reports`: the subject's. */
export function isOfSubject({ kind }: ErasureSubject): string {
  return `instance_id = {instance:UUID} AND ${SUBJECT_COLUMN[kind]} = {subject:String}`;
}

const VALUE = "base64Decode(ifNull(value_base64, ''))";
/** JSON keys under which records of this or another producer may name the subject and the instance. */
const SUBJECT_KEYS = { user: ["user_id", "userId"], device: ["device_id", "deviceId"] } as const;
const INSTANCE_KEYS = ["instance_id", "instanceId"] as const;

/**
 * Condition on rows of `dead_letters`: what names the subject of the instance, by its key (a device's id) or anywhere in its JSON. What is no
 * JSON counts when the subject's id and the instance's id are both somewhere in it.
 */
export function isDeadLetterOfSubject(subject: ErasureSubject): string {
  return `(${mentionsSubject(subject)} AND (${mentionsInstance()}
    OR {instance:String} IN (${INSTANCE_KEYS.map((key) => `lower(${textOf(key)})`).join(", ")})))`;
}

/** Condition on rows of `dead_letters`: what mentions the subject's id as above, and no instance at all. */
export function isUnattributable(subject: ErasureSubject): string {
  const hasInstance = INSTANCE_KEYS.map((key) => `JSONHas(${VALUE}, '${key}')`).join(" OR ");
  return `(${mentionsSubject(subject)} AND NOT ${mentionsInstance()} AND NOT (${hasInstance}))`;
}

function mentionsSubject({ kind }: ErasureSubject): string {
  const atTop = `{subject:String} IN (${SUBJECT_KEYS[kind].map(textOf).join(", ")})`;
  const anywhere =
    kind === "device" ? ["base64Decode(ifNull(key_base64, '')) = {subject:String}"] : [];
  return `(${[
    ...anywhere,
    `(isValidJSON(${VALUE}) AND (${atTop} OR match(${VALUE}, {named:String})))`,
    `(NOT isValidJSON(${VALUE}) AND multiSearchAny(${VALUE}, JSONExtract({spellings:String}, 'Array(String)')))`,
  ].join(" OR ")})`;
}

function mentionsInstance(): string {
  return `position(lower(${VALUE}), {instance:String}) > 0`;
}

function textOf(key: string): string {
  return `JSONExtractString(${VALUE}, '${key}')`;
}

/** An id as it is, and as it may stand in JSON text: encoders differ in slashes and in what is not ASCII. */
function spellingsOf(id: string): readonly string[] {
  const plain = JSON.stringify(id).slice(1, -1);
  const written = [plain, plain.replaceAll("/", "\\/")];
  const escaped = written.flatMap((text) => [
    asciiOf(text, (hex) => hex),
    asciiOf(text, (hex) => hex.toUpperCase()),
  ]);
  return [...new Set([id, ...written, ...escaped])];
}

function asciiOf(text: string, spell: (hex: string) => string): string {
  return text.replace(/[^ -~]/gu, (character) =>
    Array.from(
      { length: character.length },
      (_, unit) => `\\u${spell(character.charCodeAt(unit).toString(16).padStart(4, "0"))}`,
    ).join(""),
  );
}

function asPattern(text: string): string {
  return text.replace(/[\\^$.|?*+()[\]{}]/g, "\\$&");
}
