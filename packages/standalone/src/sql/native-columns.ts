import { SqlFault } from "./sql-fault.js";

/** Bytes of a value of each type that has a fixed width. */
const WIDTHS: ReadonlyMap<string, number> = new Map([
  ...["Bool", "Enum8", "Int8", "Nothing", "UInt8"].map((type) => [type, 1] as const),
  ...["BFloat16", "Date", "Enum16", "Int16", "UInt16"].map((type) => [type, 2] as const),
  ...["Date32", "DateTime", "Decimal32", "Float32", "IPv4", "Int32", "Time", "UInt32"].map(
    (type) => [type, 4] as const,
  ),
  ...["DateTime64", "Decimal64", "Float64", "Int64", "Time64", "UInt64"].map(
    (type) => [type, 8] as const,
  ),
  ...["Decimal128", "IPv6", "Int128", "UInt128", "UUID"].map((type) => [type, 16] as const),
  ...["Decimal256", "Int256", "UInt256"].map((type) => [type, 32] as const),
]);
/** Types that are another name for what they are made of. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ["Point", "Tuple(Float64, Float64)"],
  ["Ring", "Array(Point)"],
  ["LineString", "Array(Point)"],
  ["MultiLineString", "Array(LineString)"],
  ["Polygon", "Array(Ring)"],
  ["MultiPolygon", "Array(Polygon)"],
]);
/** Digits of a Decimal, and the bytes of one with so many. */
const DECIMAL_WIDTHS: readonly (readonly [digits: number, bytes: number])[] = [
  [9, 4],
  [18, 8],
  [38, 16],
  [76, 32],
];

/** Reads Native blocks from front to back. */
export class NativeCursor {
  readonly #bytes: Buffer;
  at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  isAtEnd(): boolean {
    return this.at >= this.#bytes.length;
  }

  /** An integer of variable length. */
  integer(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.#bytes.readUInt8(this.at++);
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  }

  text(): string {
    const length = this.integer();
    this.at += length;
    return this.#bytes.toString("utf8", this.at - length, this.at);
  }

  skip(bytes: number): void {
    this.at += bytes;
  }

  /** An integer of 8 bytes. */
  bigInteger(): bigint {
    this.at += 8;
    return this.#bytes.readBigUInt64LE(this.at - 8);
  }

  /** The last of `count` integers of 8 bytes; passes all of them. */
  lastOffset(count: number): number {
    this.at += count * 8;
    return count === 0 ? 0 : Number(this.#bytes.readBigUInt64LE(this.at - 8));
  }
}

/**
 * Passes a column: a version for each dictionary in its type, then its values.
 * @throws SqlFault "NOT_IMPLEMENTED" for a type whose values it cannot follow.
 */
export function passColumn(cursor: NativeCursor, name: string, type: string, rows: number): void {
  cursor.skip(8 * (type.match(/\bLowCardinality\(/g)?.length ?? 0));
  passValues(cursor, name, type, rows);
}

function passValues(cursor: NativeCursor, name: string, type: string, rows: number): void {
  const [family, args] = takeApart(ALIASES.get(type) ?? type);
  const passInner = (inner: string | undefined, count: number) =>
    passValues(cursor, name, inner ?? "", count);
  const width = widthOf(family, args);
  if (width !== null) {
    cursor.skip(width * rows);
  } else if (family === "String") {
    for (let row = 0; row < rows; row += 1) cursor.skip(cursor.integer());
  } else if (family === "Nullable") {
    cursor.skip(rows);
    passInner(args[0], rows);
  } else if (family === "Array") {
    passInner(args[0], cursor.lastOffset(rows));
  } else if (family === "Map" || family === "Nested") {
    const pairs = cursor.lastOffset(rows);
    for (const arg of args) passInner(withoutName(arg), pairs);
  } else if (family === "Tuple" && args.length > 0) {
    for (const arg of args) passInner(withoutName(arg), rows);
  } else if (family === "LowCardinality") {
    passDictionary(cursor, rows, (keys) => passInner(withoutNull(args[0]), keys));
  } else if (family === "SimpleAggregateFunction") {
    passInner(args.at(-1), rows);
  } else {
    throw new SqlFault(
      "NOT_IMPLEMENTED",
      `Column ${name} of type ${type} cannot be sent in Native blocks of this protocol version: cast it, e.g. with toString`,
    );
  }
}

/** How wide the places are (its lowest byte), and whether keys come with them. */
const HAS_KEYS = 1n << 9n;
const PLACE_WIDTHS = [1, 2, 4, 8];

/** Values as places in a list of keys that comes with them. */
function passDictionary(
  cursor: NativeCursor,
  rows: number,
  passKeys: (keys: number) => void,
): void {
  if (rows === 0) return;
  const form = cursor.bigInteger();
  if ((form & HAS_KEYS) !== 0n) passKeys(Number(cursor.bigInteger()));
  const places = Number(cursor.bigInteger());
  cursor.skip(places * (PLACE_WIDTHS[Number(form & 0xffn)] ?? 0));
}

/** Null is the first key of a dictionary, and not written as such. */
function withoutNull(type: string | undefined): string {
  return /^Nullable\((.*)\)$/s.exec(type ?? "")?.[1] ?? type ?? "";
}

function widthOf(family: string, args: readonly string[]): number | null {
  if (family === "FixedString") return Number(args[0]);
  if (family === "Decimal")
    return DECIMAL_WIDTHS.find(([digits]) => Number(args[0]) <= digits)?.[1] ?? null;
  if (family.startsWith("Interval")) return 8;
  return WIDTHS.get(family) ?? null;
}

/** A type's name and what stands in its parentheses, split at the commas that are not within further ones or within quotes. */
function takeApart(type: string): readonly [family: string, args: readonly string[]] {
  const open = type.indexOf("(");
  if (open === -1) return [type, []];
  const pieces =
    type.slice(open + 1, -1).match(/'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`|[^'`]/gs) ?? [];
  const args: string[] = [];
  let depth = 0;
  let current = "";
  for (const piece of pieces) {
    if (piece === "(") depth += 1;
    if (piece === ")") depth -= 1;
    if (piece === "," && depth === 0) {
      args.push(current.trim());
      current = "";
    } else {
      current += piece;
    }
  }
  return [type.slice(0, open), current.trim() === "" ? args : [...args, current.trim()]];
}

/** Elements of tuples may have a name before their type. */
function withoutName(element: string): string {
  return /^(?:`(?:[^`\\]|\\.)*`|\w+) (.+)$/s.exec(element)?.[1] ?? element;
}
