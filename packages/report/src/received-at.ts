/** How a record's line begins as `encodeReport` writes it, up to the time of receipt; between the two stands the id. */
const OPENING = Buffer.from('{"report_id":"');
const ID_BYTES = 36;
const BETWEEN = Buffer.from('","received_at":"');
const BETWEEN_AT = OPENING.length + ID_BYTES;
/** Where `YYYY-MM-DD hh:mm:ss.mmm` and its closing quote stand. */
const TIME_AT = BETWEEN_AT + BETWEEN.length;
const TIME_END = TIME_AT + 23;
const QUOTE = 0x22;
const [DASH, SPACE, COLON, DOT] = [0x2d, 0x20, 0x3a, 0x2e];
const ZERO = 0x30;

/**
 * The time of receipt of a record's value, Unix ms, read where it stands in a line as `encodeReport` writes it, which costs a small part
 * of decoding; null for whatever is not written so. It says nothing of the rest of the value.
 */
export function plainReceivedAtMs(value: Buffer): number | null {
  if (value.length <= TIME_END || value[TIME_END] !== QUOTE) return null;
  if (!stands(OPENING, value, 0) || !stands(BETWEEN, value, BETWEEN_AT)) return null;
  const hasMarks =
    value[TIME_AT + 4] === DASH &&
    value[TIME_AT + 7] === DASH &&
    value[TIME_AT + 10] === SPACE &&
    value[TIME_AT + 13] === COLON &&
    value[TIME_AT + 16] === COLON &&
    value[TIME_AT + 19] === DOT;
  if (!hasMarks) return null;
  const year = digits(value, TIME_AT, 4);
  const month = digits(value, TIME_AT + 5, 2);
  const day = digits(value, TIME_AT + 8, 2);
  const hour = digits(value, TIME_AT + 11, 2);
  const minute = digits(value, TIME_AT + 14, 2);
  const second = digits(value, TIME_AT + 17, 2);
  // To Date.UTC years below 100 are others, and days and hours too many are later ones.
  const isDay = year >= 100 && month >= 1 && month <= 12 && day >= 1 && day <= 31;
  if (!(isDay && hour < 24 && minute < 60 && second < 60)) return null;
  const ms = Date.UTC(year, month - 1, day, hour, minute, second, digits(value, TIME_AT + 20, 3));
  return Number.isNaN(ms) ? null : ms;
}

/** Whether the bytes are there: a loop costs a fifth of a call of `Buffer.compare`. */
function stands(bytes: Buffer, value: Buffer, at: number): boolean {
  for (let next = 0; next < bytes.length; next += 1)
    if (value[at + next] !== bytes[next]) return false;
  return true;
}

/** The number that stands there, or NaN. */
function digits(value: Buffer, at: number, count: number): number {
  let number = 0;
  for (let next = at; next < at + count; next += 1) {
    const digit = (value[next] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) return Number.NaN;
    number = number * 10 + digit;
  }
  return number;
}

const RECEIVED_AT_PATTERN = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}$/;

/** Whether text is a time of receipt as a record has it. */
export function isReceivedAt(text: string): boolean {
  return RECEIVED_AT_PATTERN.test(text) && !Number.isNaN(parseReceivedAt(text).getTime());
}

/** ClickHouse's own text of a `DateTime64(3, 'UTC')`, readable by its fastest parser. */
export function formatReceivedAt(receivedAt: Date): string {
  const iso = receivedAt.toISOString();
  return `${iso.slice(0, 10)} ${iso.slice(11, 23)}`;
}

/** The other way round; an invalid date for what is no time. */
export function parseReceivedAt(text: string): Date {
  return new Date(`${text.slice(0, 10)}T${text.slice(11)}Z`);
}
