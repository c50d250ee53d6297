import { AGAIN_HEADER } from "@push-reports/report";
import type { TopicRecord } from "@push-reports/test-support";
import { BAD_KEY_PREFIX } from "./new-records.js";

/** Where a record lies: `partition/offset`. */
export type Place = `${number}/${number}`;

/** A range as the ledger has it. */
export interface LedgerRow {
  readonly partition: number;
  readonly first: number;
  readonly last: number;
  readonly rows: number;
  readonly set_aside: number;
  readonly repeated: number;
  readonly absent: number;
}

/** Everything that a schedule left behind. */
export interface Outcome {
  /** Every record that was ever in the topic, by partition and offset. */
  readonly log: readonly TopicRecord[];
  /** By partition, the offset below which records were removed from the log before the end. */
  readonly removedBelow: ReadonlyMap<number, number>;
  readonly rows: readonly { readonly place: Place; readonly reportId: string }[];
  /** Reasons by place. */
  readonly deadLetters: ReadonlyMap<Place, string>;
  readonly ledger: readonly LedgerRow[];
}

/** What has become of one record. */
type Fate = "row" | "set_aside" | "repeated" | "absent";

/** Every way in which an outcome is not what the log demands; empty when rows, dead letters and ledger are exact. */
export function faultsOf(outcome: Outcome): readonly string[] {
  const faults: string[] = [];
  const fates = new Map<Place, Fate>();
  const rowAt = rowsByPlace(outcome, faults);
  const stored = new Set<string>();
  for (const record of outcome.log) {
    const place = placeOf(record);
    const row = rowAt.get(place);
    rowAt.delete(place);
    const fate = fateOf(place, row, outcome);
    fates.set(place, fate);
    const lawful = lawfulFates(record, stored, outcome);
    if (!lawful.includes(fate)) faults.push(`${place} is ${fate}, not ${lawful.join(" or ")}`);
    const id = reportIdOf(record);
    if (row !== undefined && row !== id) faults.push(`${place} is a row of ${row}, not of ${id}`);
    const reason = outcome.deadLetters.get(place);
    if (reason !== undefined && reason !== badReasonOf(record))
      faults.push(`${place} was set aside for ${reason}, not for ${badReasonOf(record)}`);
    if (row !== undefined && reason !== undefined)
      faults.push(`${place} is a row and a dead letter`);
    if (row !== undefined) stored.add(`${record.partition} ${row}`);
  }
  faults.push(...[...rowAt.keys()].map((place) => `${place} is a row without a record`));
  return [...faults, ...ledgerFaults(outcome, fates)];
}

const placeOf = ({ partition, offset }: TopicRecord): Place => `${partition}/${offset}`;

function rowsByPlace({ rows }: Outcome, faults: string[]): Map<Place, string> {
  const rowAt = new Map<Place, string>();
  for (const { place, reportId } of rows) {
    if (rowAt.has(place)) faults.push(`${place} is more than one row`);
    rowAt.set(place, reportId);
  }
  return rowAt;
}

function fateOf(place: Place, row: string | undefined, outcome: Outcome): Fate {
  const isDead = outcome.deadLetters.has(place);
  if (row !== undefined) return "row";
  if (isDead) return "set_aside";
  return isRemoved(place, outcome) ? "absent" : "repeated";
}

function isRemoved(place: Place, { removedBelow }: Outcome): boolean {
  const [partition, offset] = place.split("/").map(Number) as [number, number];
  return offset < (removedBelow.get(partition) ?? 0);
}

/** @param stored the reports that are rows at lower offsets of the partition. */
function lawfulFates(
  record: TopicRecord,
  stored: ReadonlySet<string>,
  outcome: Outcome,
): readonly Fate[] {
  const removed: readonly Fate[] = isRemoved(placeOf(record), outcome) ? ["absent"] : [];
  const isAgain = record.headers[AGAIN_HEADER] !== undefined;
  // A refused record that was sent again within its range is known as repeated before the database refuses the first copy.
  if (badReasonOf(record) !== null)
    return ["set_aside", ...(isAgain ? (["repeated"] as const) : []), ...removed];
  const isRepeated = isAgain && stored.has(`${record.partition} ${reportIdOf(record)}`);
  return [isRepeated ? "repeated" : "row", ...removed];
}

function badReasonOf({ key }: TopicRecord): string | null {
  const text = key?.toString() ?? "";
  return text.startsWith(BAD_KEY_PREFIX) ? (text.split("/")[1] ?? null) : null;
}

function reportIdOf({ value }: TopicRecord): string | null {
  return /"report_id":"([0-9a-f-]{36})"/.exec(value?.toString() ?? "")?.[1] ?? null;
}

function ledgerFaults(outcome: Outcome, fates: ReadonlyMap<Place, Fate>): readonly string[] {
  const faults: string[] = [];
  const ends = new Map<number, number>();
  for (const { partition, offset } of outcome.log) ends.set(partition, offset + 1);
  for (const [partition, end] of ends) {
    let next = 0;
    for (const range of outcome.ledger.filter((row) => row.partition === partition)) {
      const at = `the ledger's range ${partition}/${range.first}-${range.last}`;
      if (range.first !== next) faults.push(`${at} does not begin at ${next}`);
      next = range.last + 1;
      faults.push(...countFaults(at, range, outcome, fates));
    }
    if (next !== end)
      faults.push(`the ledger of partition ${partition} ends at ${next}, not ${end}`);
  }
  return faults;
}

function countFaults(
  at: string,
  range: LedgerRow,
  outcome: Outcome,
  fates: ReadonlyMap<Place, Fate>,
): readonly string[] {
  const found = { row: 0, set_aside: 0, repeated: 0, absent: 0 };
  let removed = 0;
  for (let offset = range.first; offset <= range.last; offset += 1) {
    const place: Place = `${range.partition}/${offset}`;
    found[fates.get(place) ?? "absent"] += 1;
    if (isRemoved(place, outcome)) removed += 1;
  }
  const booked = {
    row: range.rows,
    set_aside: range.set_aside,
    repeated: range.repeated,
    absent: range.absent,
  };
  // Of records that are gone nobody can say again whether they had been bad or repeated: they may be booked as absent.
  const kinds =
    removed === 0 ? (["row", "set_aside", "repeated", "absent"] as const) : (["row"] as const);
  return kinds
    .filter((kind) => booked[kind] !== found[kind])
    .map((kind) => `${at} books ${booked[kind]} as ${kind}, but ${found[kind]} are`);
}
