import { setImmediate as nextTurn } from "node:timers/promises";
import { decodeReport } from "@push-reports/report";
import { WriteError } from "./report-writer.js";
import {
  type BadRecord,
  type RowLines,
  selectLines,
  sliceLines,
  withoutLine,
} from "./row-lines.js";

/** Resolves when all of the lines would be taken; throws WriteError `bad_record` when at least one would not. */
type Probe = (lines: RowLines) => Promise<void>;

/** Bounds of a search. */
export interface SearchBounds {
  /** It ends once it has found so many. */
  readonly enough: number;
}

/** Records that are decoded before other work may go on. */
const DECODED_AT_A_TIME = 5_000;
/** How many rows that the database names itself are tried before the rest is halved. */
const NAMED_ROWS = 3;

/**
 * Finds the records that the database refuses, without inserting any. Each is judged by our own contract first. Of the rest the
 * database is asked by probing: it names the row that it stumbled over, which is believed only when that row alone is refused
 * too; what is refused without a name, or again and again, is halved. One bad record among n costs three probes when it
 * is named, and about 2·log2(n) when not.
 * @returns none when no record is at fault, and then something else is.
 */
export async function findBadRecords(
  lines: RowLines,
  probe: Probe,
  { enough }: SearchBounds = { enough: Number.POSITIVE_INFINITY },
): Promise<readonly BadRecord[]> {
  const found = await unreadableAmong(lines);
  const bad = new Set(found.map(({ record }) => record));
  const readable = bad.size === 0 ? lines : selectLines(lines, (record) => !bad.has(record));
  await search(readable, probe, found, enough);
  return found;
}

async function unreadableAmong({ records }: RowLines): Promise<BadRecord[]> {
  const unreadable: BadRecord[] = [];
  for (const [index, record] of records.entries()) {
    if (index % DECODED_AT_A_TIME === DECODED_AT_A_TIME - 1) await nextTurn();
    const decoded = decodeReport(record);
    if (decoded.ok) continue;
    const { reason, detail } = decoded;
    unreadable.push({ record, reason, detail, clickHouseCode: 0 });
  }
  return unreadable;
}

async function search(
  lines: RowLines,
  probe: Probe,
  found: BadRecord[],
  enough: number,
): Promise<void> {
  let rest = lines;
  for (let named = 0; ; named += 1) {
    const [record] = rest.records;
    if (record === undefined || found.length >= enough) return;
    const refusal = await refusalOf(rest, probe);
    if (refusal === null) return;
    if (rest.records.length === 1) return void found.push(refused(record, refusal));
    const index = named < NAMED_ROWS ? (refusal.row ?? 0) - 1 : -1;
    const suspect = rest.records[index];
    const alone = suspect && (await refusalOf(sliceLines(rest, index, index + 1), probe));
    if (!suspect || !alone) break;
    found.push(refused(suspect, alone));
    rest = withoutLine(rest, index);
  }
  const middle = Math.ceil(rest.records.length / 2);
  await search(sliceLines(rest, 0, middle), probe, found, enough);
  await search(sliceLines(rest, middle, rest.records.length), probe, found, enough);
}

async function refusalOf(lines: RowLines, probe: Probe): Promise<WriteError | null> {
  try {
    await probe(lines);
    return null;
  } catch (error) {
    if (error instanceof WriteError && error.failure === "bad_record") return error;
    throw error;
  }
}

function refused(record: BadRecord["record"], { clickHouseCode }: WriteError): BadRecord {
  const detail = `ClickHouse refuses it with code ${clickHouseCode}`;
  return { record, reason: "refused", detail, clickHouseCode };
}

/** Records that are probed alone to tell a database that refuses everything from bad records. */
const SAMPLES = 8;

/**
 * Whether the database refuses whatever it is given: a line that is beyond doubt, and every one of a sample of these. Then a table is
 * not what this version expects, and no record is at fault.
 * @param control a line that every table of this version takes.
 */
export async function refusesEverything(
  lines: RowLines,
  control: RowLines,
  probe: Probe,
): Promise<boolean> {
  if ((await refusalOf(control, probe)) === null) return false;
  const { length } = lines.records;
  for (let sample = 0; sample < Math.min(SAMPLES, length); sample += 1) {
    const index = Math.floor((sample * length) / Math.min(SAMPLES, length));
    if ((await refusalOf(sliceLines(lines, index, index + 1), probe)) === null) return false;
  }
  return true;
}
