import type { SourceRecord } from "./record-source.js";

/** Most records of a range: an insert of that many is one block for ClickHouse. */
export const MAX_RANGE_RECORDS = 500_000;
/** Most bytes of a range, for the same reason. */
export const MAX_RANGE_BYTES = 64 * 1024 * 1024;

/**
 * A stretch of one partition that becomes rows together, exactly once. Its name is given when it is cut and stays with it
 * through crashes and owners: ClickHouse recognises a repeated insert by it.
 */
export interface ReportRange {
  readonly name: string;
  readonly source: string;
  readonly partition: number;
  /** First and last offset, both within the range. */
  readonly first: number;
  readonly last: number;
  readonly cutAt: Date;
  /** What the log holds of it; offsets without a record are absent. */
  readonly records: readonly SourceRecord[];
}

/** A range without its records: what is committed before the range is written. */
export interface RangeIntent {
  readonly name: string;
  readonly first: number;
  readonly last: number;
  /** Records that the range had when it was cut. */
  readonly records: number;
  /** Some of it, or of what follows, may be rows under other names: whoever does it again asks which. */
  readonly mustLookUp: boolean;
}

/** Offsets that a stretch spans, absent ones included. */
export function spanOf(stretch: { readonly first: number; readonly last: number }): number {
  return stretch.last - stretch.first + 1;
}

/** How far the clocks of two consumers and the database's whole seconds may be apart, ms. */
const CLOCK_MARGIN_MS = 60_000;

/** No insert of the range began before this time, by whichever of their clocks, Unix ms. */
export function insertedSince({ cutAt }: Pick<ReportRange, "cutAt">): number {
  return cutAt.getTime() - CLOCK_MARGIN_MS;
}

/** Cuts a range that begins at `first` and ends with the last of `records`, of which there is at least one. */
export function cutRange(
  at: { readonly source: string; readonly partition: number; readonly first: number },
  records: readonly SourceRecord[],
  cutAt: Date,
): ReportRange {
  const last = records.at(-1)?.offset;
  if (last === undefined) throw new RangeError("A range needs at least one record");
  return { ...emptyRange({ ...at, last }, cutAt), records };
}

/** A range without records: what the log holds of it is not known, or nothing. */
export function emptyRange(
  at: Pick<ReportRange, "source" | "partition" | "first" | "last">,
  cutAt: Date,
): ReportRange {
  const name = `${at.source}/${at.partition}/${at.first}-${at.last}/${cutAt.toISOString()}`;
  return { ...at, name, cutAt, records: [] };
}

/**
 * The intent as offset metadata, well below Kafka's 4 KiB. One that must be looked up is version 2: a release that knows only version 1
 * would take the token alone for enough, and stops instead.
 */
export function encodeIntent(range: ReportRange, { mustLookUp = false } = {}): string {
  const { name, first, last, records } = range;
  const intent = { name, first, last, records: records.length };
  return JSON.stringify(mustLookUp ? { v: 2, ...intent, mustLookUp } : { v: 1, ...intent });
}

/** Metadata that is no intent of a version that this process knows. Ignoring it could double rows. */
export class UnreadableIntentError extends Error {
  override readonly name = "UnreadableIntentError";
  readonly code = "unreadable_intent";

  constructor(partition: number) {
    super(
      `The committed offset of partition ${partition} carries metadata that this version cannot read: run the version ` +
        "that wrote it, or commit the offset again with empty metadata once its range is known to be complete",
    );
  }
}

/** What the metadata hold: what is false is left out. */
type EncodedIntent = Omit<RangeIntent, "mustLookUp"> &
  (
    | { readonly v: 1; readonly mustLookUp?: undefined }
    | { readonly v: 2; readonly mustLookUp: true }
  );

/** Reads what was committed with an offset; null when nothing was under way. @throws UnreadableIntentError */
export function decodeIntent(metadata: string, partition: number): RangeIntent | null {
  if (metadata === "") return null;
  const intent = parseJson(metadata);
  if (!isIntent(intent)) throw new UnreadableIntentError(partition);
  const { name, first, last, records, mustLookUp = false } = intent;
  return { name, first, last, records, mustLookUp };
}

/** When the range of a name was cut. */
export function cutAtOf(name: string): Date {
  return new Date(name.slice(name.lastIndexOf("/") + 1));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function isIntent(value: unknown): value is EncodedIntent {
  if (typeof value !== "object" || value === null) return false;
  const intent = value as Partial<Record<keyof RangeIntent | "v", unknown>>;
  return (
    (intent.v === 1
      ? intent.mustLookUp === undefined
      : intent.v === 2 && intent.mustLookUp === true) &&
    typeof intent.name === "string" &&
    !Number.isNaN(cutAtOf(intent.name).getTime()) &&
    [intent.first, intent.last, intent.records].every((n) => Number.isSafeInteger(n)) &&
    Number(intent.first) <= Number(intent.last)
  );
}
