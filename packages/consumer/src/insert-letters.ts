import { randomUUID } from "node:crypto";
import type { CommandClaim } from "./command-claim.js";
import { findBadRecords, refusesEverything } from "./find-bad-records.js";
import { type LettersPlace, storedAmong } from "./letters-in-reports.js";
import { receivedAtMs } from "./receipt-times.js";
import { WriteError } from "./report-writer.js";
import { type BadRecord, controlLine, type RowLines, selectLines } from "./row-lines.js";
import type { StoredReports } from "./stored-reports.js";

/** The collaborators of {@link insertLetters}. */
export interface InsertLettersParts {
  readonly storedReports: Pick<StoredReports, "expiredBefore">;
  readonly claim: CommandClaim;
  /** Resolves when some time has passed: between two looks at what is refused with a code that may be chance. */
  readonly pause: () => Promise<void>;
}

/** Inserts in a row that the database may acknowledge although their rows are not there. */
const MAX_HOLLOW = 3;

/**
 * Inserts all lines but those that the database refuses, and looks whether they are there. None of them was there before, and the claim keeps others
 * from inserting them, so each attempt has a token of its own: one that was used before would be acknowledged and insert nothing where
 * rows were deleted since, or where the database died between token and rows (see insert-once.ts).
 * @returns those that the database refuses. @throws WriteError when it is not they that are at fault; ClaimError
 */
export async function insertLetters(
  place: LettersPlace,
  parts: InsertLettersParts,
  lines: RowLines,
): Promise<readonly BadRecord[]> {
  const refused: BadRecord[] = [];
  let missing = lines;
  for (let hollow = 0; missing.records.length > 0; hollow += 1) {
    if (hollow > MAX_HOLLOW)
      throw new WriteError("passes_with_time", 0, "A replay is acknowledged and not there");
    const found = await insertAllButRefused(place, parts, missing);
    refused.push(...found);
    const bad = new Set(found.map(({ record }) => record));
    const stored = await storedAmong(place, missing.records);
    missing = selectLines(missing, (record) => !bad.has(record) && !stored.has(record.offset));
    missing = await unexpiredLines(parts, missing);
  }
  return refused;
}

async function insertAllButRefused(
  place: LettersPlace,
  parts: InsertLettersParts,
  lines: RowLines,
): Promise<readonly BadRecord[]> {
  const { statements, source, partition } = place;
  const refused: BadRecord[] = [];
  let rest = lines;
  while (rest.records.length > 0) {
    await parts.claim.renew();
    try {
      await statements.insert(
        "reports",
        `replay/${source}/${partition}/${randomUUID()}`,
        rest.bytes,
      );
      break;
    } catch (error) {
      if (!(error instanceof WriteError) || error.failure !== "bad_record") throw error;
      const found = await refusedAmong(place, parts, rest);
      if (found === null || found.length === 0) throw error;
      refused.push(...found);
      const bad = new Set(found.map(({ record }) => record));
      rest = selectLines(rest, (record) => !bad.has(record));
    }
  }
  return refused;
}

async function refusedAmong(
  place: LettersPlace,
  { pause }: InsertLettersParts,
  lines: RowLines,
): Promise<readonly BadRecord[] | null> {
  const control = controlLine(place);
  const probe = (some: RowLines) => place.statements.insert("probe", "", some.bytes);
  if (await refusesEverything(lines, control, probe)) return null;
  return await findBadRecords(lines, probe, { isEnough: () => false, control, pause });
}

/** What the table is sure to keep: rows beyond their age are inserted and gone again. */
async function unexpiredLines(
  { storedReports }: InsertLettersParts,
  lines: RowLines,
): Promise<RowLines> {
  if (lines.records.length === 0) return lines;
  const before = (await storedReports.expiredBefore()).getTime();
  return selectLines(lines, (record) => receivedAtMs(record) >= before);
}
