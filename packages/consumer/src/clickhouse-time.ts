/**
 * How much earlier `subtractMonths(now, n)` may be than the times to which `n` months were added to get `now`, days: months differ by up
 * to three days in length.
 */
export const MONTH_MARGIN_DAYS = 4;

/** The last time that a `DateTime64(3)` and a JavaScript date have in common, which is far enough, Unix ms. */
const LATEST_MS = Date.parse("2299-12-31T23:59:59.999Z");

/**
 * A time as text of a ClickHouse `DateTime64(3, 'UTC')`. A time before 1970 or beyond what the column can hold becomes the nearest that
 * it can: a record may carry any timestamp.
 */
export function formatTime(time: Date): string {
  const ms = time.getTime();
  const iso = new Date(
    Number.isNaN(ms) ? LATEST_MS : Math.min(Math.max(ms, 0), LATEST_MS),
  ).toISOString();
  return `${iso.slice(0, 10)} ${iso.slice(11, 23)}`;
}
