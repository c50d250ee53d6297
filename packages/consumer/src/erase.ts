import type { AskedDatabase } from "./clickhouse-statements.js";
import type { CommandClaim } from "./command-claim.js";
import { bookErasedRows, bookErasures, recountReplays } from "./erasure-books.js";
import {
  type ErasureSubject,
  isDeadLetterOfSubject,
  isOfSubject,
  isUnattributable,
  SUBJECT_COLUMN,
  subjectParams,
} from "./erasure-subject.js";
import { INSTANCE_HOURS, NOTIFICATIONS, PUBLISH_ACTIVITY, rebuildRollUp } from "./roll-ups.js";

/** Parts of an erasure. */
export interface ErasureParts extends AskedDatabase {
  readonly claim: CommandClaim;
  /** Resolves when nothing that the log held at its beginning can become a row any more, or when that takes too long. */
  readonly settle: () => Promise<void>;
}

/** What a database holds of a subject. */
export interface Holdings {
  readonly reports: number;
  /** Rows of `notifications` that name it. */
  readonly notifications: number;
  readonly deadLetters: number;
}

/** What {@link erase} would remove. */
export interface ErasurePlan extends Holdings {
  /** Publishes, and hours of receipt, whose roll-ups are made anew. */
  readonly publishes: number;
  readonly hours: number;
  /** Dead letters that mention the id but cannot be attributed to an instance: they stay, look at them. */
  readonly unattributable: number;
}

/** What an erasure did. */
export interface Erasure {
  readonly removed: Holdings;
  /** Counted afterwards: all zero, unless reports of the subject keep arriving. */
  readonly left: Holdings;
}

/** Reports that arrive during an erasure are removed by the next round; a subject that reports faster than that is left over. */
const MAX_ROUNDS = 5;
/** Values of one statement's list: they travel in a URL. */
const CHUNK = 500;

/** Counts what an erasure would remove, and changes nothing. @throws WriteError */
export async function planErasure(
  parts: AskedDatabase,
  subject: ErasureSubject,
): Promise<ErasurePlan> {
  const { publishes, hours } = await traceOf(parts, subject);
  const [row] = await parts.statements.select<{ n: string }>(
    `SELECT count() AS n FROM ${parts.database}.dead_letters FINAL WHERE ${isUnattributable(subject)}`,
    subjectParams(subject),
  );
  const held = await holdingsOf(parts, subject);
  const unattributable = Number(row?.n);
  return { ...held, publishes: publishes.length, hours: hours.length, unattributable };
}

/**
 * Removes every report and dead letter of a subject and makes the roll-ups anew without it; what is removed is booked first. Whatever
 * dies on the way, running it again completes it. What a range under way has inserted comes back when that range is done again, so what is
 * left is counted once the log has settled. @throws WriteError; ClaimError
 */
export async function erase(parts: ErasureParts, subject: ErasureSubject): Promise<Erasure> {
  await parts.settle();
  const removed = await holdingsOf(parts, subject);
  let left = removed;
  for (let round = 0; round < MAX_ROUNDS && isAnything(left); round += 1) {
    await parts.claim.renew();
    await eraseOnce(parts, subject);
    await parts.settle();
    left = await holdingsOf(parts, subject);
  }
  await bookErasures(parts);
  await recountReplays(parts);
  return { removed, left };
}

/** Whether there is anything to remove. */
export function isAnything({ reports, notifications, deadLetters }: Holdings): boolean {
  return reports + notifications + deadLetters > 0;
}

async function eraseOnce(parts: ErasureParts, subject: ErasureSubject): Promise<void> {
  const { statements, database } = parts;
  const params = subjectParams(subject);
  // Booked first: whatever arrives in between is traced as well, and is removed by the next round.
  await bookErasedRows(parts, subject);
  const { devices, publishes, hours } = await traceOf(parts, subject);
  // The roll-ups come first: as long as reports are there, an erasure that died can be repeated from them.
  const others = `instance_id = {instance:UUID} AND NOT ifNull(${SUBJECT_COLUMN[subject.kind]} = {subject:String}, false)`;
  for (const chunk of chunksOf(devices)) {
    const rows = `instance_id = {instance:UUID} AND device_id IN ${listOf("devices")}`;
    await parts.claim.renew();
    await rebuildRollUp(parts, NOTIFICATIONS, {
      rows,
      reports: `${others} AND device_id IN ${listOf("devices")}`,
      params: { ...params, devices: JSON.stringify(chunk) },
    });
  }
  for (const chunk of chunksOf(publishes)) {
    const rows = `instance_id = {instance:UUID} AND publish_id IN ${listOf("publishes")}`;
    await parts.claim.renew();
    await rebuildRollUp(parts, PUBLISH_ACTIVITY, {
      rows,
      reports: `${others} AND publish_id IN ${listOf("publishes")}`,
      params: { ...params, publishes: JSON.stringify(chunk) },
    });
  }
  for (const chunk of chunksOf(hours)) {
    const rows = "instance_id = {instance:UUID} AND hour IN {hours:Array(DateTime('UTC'))}";
    await parts.claim.renew();
    await rebuildRollUp(parts, INSTANCE_HOURS, {
      rows,
      reports: `${others} AND toStartOfHour(toDateTime(received_at, 'UTC')) IN {hours:Array(DateTime('UTC'))}`,
      params: { ...params, hours: chunk },
    });
  }
  // Only what is booked as what it is: whatever has arrived since then belongs to the next round. So does what a replica keeps that has not got
  // the whole book yet, of which a majority has: it removes less, and nothing that is not booked.
  const isBooked = (was: "was_dead_letter" | "was_row") =>
    `(source, partition, offset) IN (SELECT source, partition, offset FROM ${database}.erased_reports WHERE ${was} = 1)`;
  const letters = `${isDeadLetterOfSubject(subject)} AND ${isBooked("was_dead_letter")}`;
  await statements.deleteFrom("dead_letters", letters, params);
  const reports = `${isOfSubject(subject)} AND ${isBooked("was_row")}`;
  await statements.deleteFrom("reports", reports, params);
}

/** A list of texts, bound as JSON: the client does not escape quotes within an `Array(String)` parameter. */
function listOf(parameter: string): string {
  return `JSONExtract({${parameter}:String}, 'Array(String)')`;
}

async function holdingsOf(
  { statements, database }: AskedDatabase,
  subject: ErasureSubject,
): Promise<Holdings> {
  const named =
    subject.kind === "device" ? "device_id = {subject:String}" : "has(user_ids, {subject:String})";
  const [row] = await statements.select<{
    reports: string;
    notifications: string;
    dead_letters: string;
  }>(
    `SELECT
       (SELECT count() FROM ${database}.reports WHERE ${isOfSubject(subject)}) AS reports,
       (SELECT count() FROM ${database}.notifications WHERE instance_id = {instance:UUID} AND ${named}) AS notifications,
       (SELECT count() FROM ${database}.dead_letters WHERE ${isDeadLetterOfSubject(subject)}) AS dead_letters`,
    subjectParams(subject),
  );
  return {
    reports: Number(row?.reports),
    notifications: Number(row?.notifications),
    deadLetters: Number(row?.dead_letters),
  };
}

/** Devices, publishes and hours of receipt that the subject's rows are found under. */
async function traceOf({ statements, database }: AskedDatabase, subject: ErasureSubject) {
  const distinct = async (expression: string, from: string) => {
    const rows = await statements.select<{ value: string }>(
      `SELECT DISTINCT toString(${expression}) AS value FROM ${from} ORDER BY value`,
      subjectParams(subject),
    );
    return rows.map(({ value }) => value);
  };
  const reports = `${database}.reports WHERE ${isOfSubject(subject)}`;
  const named = `${database}.notifications WHERE instance_id = {instance:UUID} AND has(user_ids, {subject:String})`;
  const devices =
    subject.kind === "device"
      ? [subject.id]
      : [...(await distinct("device_id", reports)), ...(await distinct("device_id", named))];
  return {
    devices: [...new Set(devices)],
    publishes: await distinct("publish_id", reports),
    hours: await distinct("toStartOfHour(toDateTime(received_at, 'UTC'))", reports),
  };
}

function chunksOf(values: readonly string[]): readonly (readonly string[])[] {
  return Array.from({ length: Math.ceil(values.length / CHUNK) }, (_, index) =>
    values.slice(index * CHUNK, (index + 1) * CHUNK),
  );
}
