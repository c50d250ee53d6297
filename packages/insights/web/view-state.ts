/** Everything that decides what the page shows. The address holds it, so that a link shows the same. */
export interface ViewState {
  /** Instance id, or null before one is chosen. */
  readonly instance: string | null;
  /** The publish that is looked at, or null for the list. */
  readonly publish: string | null;
  readonly range: TimeRange;
  /** Text that the publishes of the list must contain. */
  readonly search: string;
  readonly sort: SortColumn;
  readonly direction: "asc" | "desc";
  /** From 1. */
  readonly page: number;
  /** Publishes delivered to fewer devices are left out of the list. */
  readonly minDelivered: number;
}

/** A stretch of time that ends now, or a fixed one. */
export type TimeRange =
  | { readonly kind: "last"; readonly name: RangeName }
  | { readonly kind: "fixed"; readonly from: Date; readonly to: Date };

/** Ranges that end now, by their length in ms. */
export const RANGES = {
  "1h": 3_600_000,
  "24h": 86_400_000,
  "7d": 7 * 86_400_000,
  "30d": 30 * 86_400_000,
} as const;
export type RangeName = keyof typeof RANGES;

/** Columns that the list of publishes can be sorted by. */
export const SORT_COLUMNS = [
  "first_activity",
  "publish_id",
  "delivered",
  "openable",
  "opened",
  "open_rate",
  "opens_per_delivery",
  "p50_secs",
] as const;
export type SortColumn = (typeof SORT_COLUMNS)[number];

/** What is shown when the address says nothing. */
export const START: ViewState = {
  instance: null,
  publish: null,
  range: { kind: "last", name: "7d" },
  search: "",
  sort: "first_activity",
  direction: "desc",
  page: 1,
  minDelivered: 0,
};

const MAX_PAGE = 100_000;
/** Most devices that a publish of the list can be asked to have. */
export const MAX_MIN_DELIVERED = 1_000_000_000;

/** Reads an address; what it cannot read there is as if it were not there. */
export function readState(query: string): ViewState {
  const params = new URLSearchParams(query);
  const direction = params.get("dir");
  return {
    instance: params.get("instance") || null,
    publish: params.get("publish") || null,
    range: readRange(params),
    search: params.get("q") ?? "",
    sort: SORT_COLUMNS.find((column) => column === params.get("sort")) ?? START.sort,
    direction: direction === "asc" ? "asc" : "desc",
    page: wholeNumber(params.get("page"), 1, MAX_PAGE) ?? 1,
    minDelivered: wholeNumber(params.get("min"), 0, MAX_MIN_DELIVERED) ?? 0,
  };
}

/** The address that shows a state, without what is so by default. */
export function writeState(state: ViewState): string {
  const params = new URLSearchParams();
  if (state.instance !== null) params.set("instance", state.instance);
  if (state.publish !== null) params.set("publish", state.publish);
  if (state.range.kind === "fixed") {
    params.set("from", state.range.from.toISOString());
    params.set("to", state.range.to.toISOString());
  } else if (state.range.name !== "7d") {
    params.set("range", state.range.name);
  }
  if (state.search !== "") params.set("q", state.search);
  if (state.sort !== START.sort) params.set("sort", state.sort);
  if (state.direction !== START.direction) params.set("dir", state.direction);
  if (state.page !== 1) params.set("page", String(state.page));
  if (state.minDelivered !== 0) params.set("min", String(state.minDelivered));
  const text = params.toString();
  return text === "" ? "/" : `/?${text}`;
}

/** First and last moment of a range. */
export function boundsOf(range: TimeRange, now: Date): { readonly from: Date; readonly to: Date } {
  if (range.kind === "fixed") return { from: range.from, to: range.to };
  return { from: new Date(now.getTime() - RANGES[range.name]), to: now };
}

function readRange(params: URLSearchParams): TimeRange {
  const from = moment(params.get("from"));
  const to = moment(params.get("to"));
  if (from !== null && to !== null && from < to) return { kind: "fixed", from, to };
  const name = params.get("range");
  return name !== null && Object.hasOwn(RANGES, name)
    ? { kind: "last", name: name as RangeName }
    : START.range;
}

function moment(text: string | null): Date | null {
  if (text === null) return null;
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? null : date;
}

function wholeNumber(text: string | null, min: number, max: number): number | null {
  if (text === null || !/^\d{1,10}$/.test(text)) return null;
  const value = Number(text);
  return value >= min && value <= max ? value : null;
}
