import { setImmediate as nextTurn } from "node:timers/promises";
import { decodeReport } from "@push-reports/report";
import { isAboutARow } from "./insert-failures.js";
import type { SourceRecord } from "./record-source.js";
import { WriteError } from "./report-writer.js";
import {
  type BadRecord,
  type RowLines,
  selectLines,
  sliceLines,
  withoutLine,
} from "./row-lines.js";

/** Resolves when all of the lines would be taken; throws WriteError `bad_record` when at least one would not. */
export type Probe = (lines: RowLines) => Promise<void>;

/** Bounds of a search, and what it judges by. */
export interface SearchBounds {
  /** It ends once this says that the bad records found so far, in no order, are enough. */
  readonly isEnough: (found: readonly SourceRecord[]) => boolean;
  /** A line that every table of this version takes. */
  readonly control: RowLines;
  /** Resolves when some time has passed: between two looks at records that were refused with a code that may be chance. */
  readonly pause: () => Promise<void>;
}

/** Probes at a time: a range in which every other record is bad costs about two probes a bad record. */
const PROBED_BESIDE = 4;
/** Records that are decoded before other work may go on. */
const DECODED_AT_A_TIME = 5_000;
/** How many rows that the database names itself are tried before the rest is halved. */
const NAMED_ROWS = 3;

/**
 * How often a record must be refused again when the code does not say that a row is at fault, the control line being taken each time before.
 * A code that comes to a statement with probability p, whatever it holds, makes a good record pass for a bad one with p·((1 − p)·p)^10,
 * at most one in a million.
 */
const REFUSED_AGAIN = 10;

/** Between two looks at records that are refused with a code that may be chance: what comes and goes has time to go, ms. */
export const LOOK_AGAIN_MS = 2_000;

/**
 * Finds the records that the database refuses, without inserting any. Each is judged by our own contract first. Of the rest the
 * database is asked by probing: it names the row that it stumbled over, which is believed only when that row alone is refused
 * too; what is refused without a name, or again and again, is halved. One bad record among n costs three probes when it
 * is named, and about 2·log2(n) when not; many cost about four probes each, a few at a time, those of the lower offsets first, until `isEnough`. Records that are refused with a code that may be chance are probed again over time.
 * @returns none when no record is at fault, and then something else is; null when what was refused is taken now, so that it is not clear
 * what was at fault, and trying again will tell.
 */
export async function findBadRecords(
  lines: RowLines,
  probe: Probe,
  { isEnough, control, pause }: SearchBounds,
): Promise<readonly BadRecord[] | null> {
  const unreadable = await unreadableAmong(lines);
  const bad = new Set(unreadable.map(({ record }) => record));
  const readable = bad.size === 0 ? lines : selectLines(lines, (record) => !bad.has(record));
  const refused: Refused[] = [];
  const hasEnough = () =>
    bad.size + refused.length > 0 && isEnough([...bad, ...refused.map(({ record }) => record)]);
  await search(readable, probe, refused, hasEnough);
  if (!(await areRefusedForGood(refused, control, probe, pause))) return null;
  return [...unreadable, ...refused.map(badRecordOf)];
}

/** A single record that was refused. */
interface Refused {
  readonly line: RowLines;
  readonly record: SourceRecord;
  readonly clickHouseCode: number;
}

async function areRefusedForGood(
  refused: readonly Refused[],
  control: RowLines,
  probe: Probe,
  pause: () => Promise<void>,
): Promise<boolean> {
  let doubtful = refused.filter(({ clickHouseCode }) => !isAboutARow(clickHouseCode));
  for (let round = 0; round < REFUSED_AGAIN && doubtful.length > 0; round += 1) {
    await pause();
    if ((await refusalOf(control, probe)) !== null) return false;
    const still: Refused[] = [];
    for (const suspect of doubtful) {
      const refusal = await refusalOf(suspect.line, probe);
      if (refusal === null) return false;
      if (!isAboutARow(refusal.clickHouseCode)) still.push(suspect);
    }
    doubtful = still;
  }
  return true;
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

/** Searches parts of a range beside each other, those of the lower offsets first. */
async function search(
  lines: RowLines,
  probe: Probe,
  refused: Refused[],
  hasEnough: () => boolean,
): Promise<void> {
  const found = { isEnough: hasEnough() };
  const add = (one: Refused) => {
    if (found.isEnough) return;
    refused.push(one);
    found.isEnough = hasEnough();
  };
  const isOver = () => found.isEnough;
  const waiting: RowLines[] = [lines];
  const underWay = new Set<Promise<void>>();
  while ((waiting.length > 0 && !isOver()) || underWay.size > 0) {
    const isFree = underWay.size < PROBED_BESIDE && !isOver();
    const part = isFree ? waiting.pop() : undefined;
    if (part === undefined) {
      await Promise.race(underWay);
      continue;
    }
    const searching = searchPart(part, probe, add, isOver)
      .then((halves) => {
        waiting.push(...halves);
        waiting.sort((a, b) => firstOffset(b) - firstOffset(a));
      })
      .finally(() => underWay.delete(searching));
    // Of several that fail the first is thrown by the race.
    searching.catch(() => undefined);
    underWay.add(searching);
  }
}

function firstOffset({ records }: RowLines): number {
  return records[0]?.offset ?? 0;
}

/** Adds what it finds; gives what has to be searched by parts. */
async function searchPart(
  lines: RowLines,
  probe: Probe,
  add: (found: Refused) => void,
  isOver: () => boolean,
): Promise<readonly RowLines[]> {
  let rest = lines;
  for (let named = 0; ; named += 1) {
    const [record] = rest.records;
    if (record === undefined || isOver()) return [];
    const refusal = await refusalOf(rest, probe);
    if (refusal === null) return [];
    if (rest.records.length === 1) {
      add(refusedAlone(rest, record, refusal));
      return [];
    }
    const index = named < NAMED_ROWS ? (refusal.row ?? 0) - 1 : -1;
    const suspect = rest.records[index];
    if (!suspect) break;
    const line = sliceLines(rest, index, index + 1);
    const alone = await refusalOf(line, probe);
    if (alone === null) break;
    add(refusedAlone(line, suspect, alone));
    rest = withoutLine(rest, index);
  }
  const middle = Math.ceil(rest.records.length / 2);
  return [sliceLines(rest, 0, middle), sliceLines(rest, middle, rest.records.length)];
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

function refusedAlone(line: RowLines, record: SourceRecord, { clickHouseCode }: WriteError) {
  return { line, record, clickHouseCode };
}

function badRecordOf({ record, clickHouseCode }: Refused): BadRecord {
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
