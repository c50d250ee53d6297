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
  return { instance: subject.instanceId, subject: subject.id };
}

/** Condition on rows of `reports`: the subject's. */
export function isOfSubject({ kind }: ErasureSubject): string {
  return `instance_id = {instance:UUID} AND ${SUBJECT_COLUMN[kind]} = {subject:String}`;
}

const VALUE = "base64Decode(ifNull(value_base64, ''))";
/** JSON keys under which records of this or another producer may name the subject and the instance. */
const SUBJECT_KEYS = { user: ["user_id", "userId"], device: ["device_id", "deviceId"] } as const;

/**
 * Condition on rows of `dead_letters`: what names the subject of the instance. What is no JSON counts when the subject's id and the
 * instance's id are both somewhere in it.
 */
export function isDeadLetterOfSubject({ kind }: ErasureSubject): string {
  const [snake, camel] = SUBJECT_KEYS[kind];
  const named = `{subject:String} IN (JSONExtractString(${VALUE}, '${snake}'), JSONExtractString(${VALUE}, '${camel}'))`;
  const inInstance = `{instance:String} IN (lower(JSONExtractString(${VALUE}, 'instance_id')), lower(JSONExtractString(${VALUE}, 'instanceId')))`;
  return `((isValidJSON(${VALUE}) AND ${named} AND ${inInstance})
    OR (NOT isValidJSON(${VALUE}) AND ${mentions()} AND position(lower(${VALUE}), {instance:String}) > 0))`;
}

/** Condition on rows of `dead_letters`: unreadable ones that mention the subject's id without saying an instance. */
export function isUnattributable(): string {
  return `NOT isValidJSON(${VALUE}) AND ${mentions()} AND position(lower(${VALUE}), {instance:String}) = 0`;
}

/** The id as it is, or as it stands in JSON text. */
function mentions(): string {
  return `(position(${VALUE}, {subject:String}) > 0 OR position(${VALUE}, substring(toJSONString({subject:String}), 2, length(toJSONString({subject:String})) - 2)) > 0)`;
}
