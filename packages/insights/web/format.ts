const COUNT = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const SHORT_COUNT = new Intl.NumberFormat(undefined, {
  notation: "compact",
  maximumFractionDigits: 1,
});
const RATE = new Intl.NumberFormat(undefined, {
  style: "percent",
  minimumFractionDigits: 1,
  maximumFractionDigits: 1,
});
const TIME = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
const FRESHNESS = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  timeZoneName: "short",
});
const MOMENT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** What stands where there is no figure, as a rate over nothing. */
export const NONE = "–";

export const formatCount = (value: number | null) => (value === null ? NONE : COUNT.format(value));
export const formatShortCount = (value: number) => SHORT_COUNT.format(value);
export const formatRate = (value: number | null) => (value === null ? NONE : RATE.format(value));
export const formatTime = (date: Date | null) => (date === null ? NONE : TIME.format(date));
export const formatDay = (date: Date | null) => (date === null ? NONE : DAY.format(date));
export const formatMoment = (date: Date | null) => (date === null ? NONE : MOMENT.format(date));

/** A time to the second with its zone; with its day where that is not today. */
export function formatFreshness(date: Date, now: Date): string {
  const isToday = date.toDateString() === now.toDateString();
  return isToday ? FRESHNESS.format(date) : `${DAY.format(date)}, ${FRESHNESS.format(date)}`;
}

/** Seconds in the two largest units that are not 0, as `2 min 5 s`. */
export function formatSeconds(value: number | null): string {
  if (value === null) return NONE;
  const seconds = Math.round(value);
  const parts = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor(seconds / 3_600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "min"],
    [seconds % 60, "s"],
  ] as const;
  const first = parts.findIndex(([amount]) => amount > 0);
  if (first < 0) return "0 s";
  return parts
    .slice(first, first + 2)
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount} ${unit}`)
    .join(" ");
}

/** A time as ClickHouse writes it, in UTC without saying so. */
export function momentOf(text: unknown): Date | null {
  if (typeof text !== "string" || text === "") return null;
  const date = new Date(`${text.replace(" ", "T")}Z`);
  return Number.isNaN(date.getTime()) || date.getTime() <= 0 ? null : date;
}
