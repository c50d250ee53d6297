import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import {
  boundsOf,
  type RangeName,
  readState,
  SORT_COLUMNS,
  START,
  type ViewState,
  writeState,
} from "../../web/view-state.js";

const moments = fc.date({
  min: new Date("2020-01-01T00:00:00Z"),
  max: new Date("2100-01-01T00:00:00Z"),
  noInvalidDate: true,
});
const ranges: fc.Arbitrary<ViewState["range"]> = fc.oneof(
  fc
    .constantFrom<RangeName>("1h", "24h", "7d", "30d")
    .map((name) => ({ kind: "last", name }) as const),
  fc
    .tuple(moments, fc.integer({ min: 1, max: 1e9 }))
    .map(([from, ms]) => ({ kind: "fixed", from, to: new Date(from.getTime() + ms) }) as const),
);
const names = fc.string({ minLength: 1, maxLength: 40 });
const states: fc.Arbitrary<ViewState> = fc.record({
  instance: fc.option(names),
  publish: fc.option(names),
  range: ranges,
  search: fc.string(),
  sort: fc.constantFrom(...SORT_COLUMNS),
  direction: fc.constantFrom("asc" as const, "desc" as const),
  page: fc.integer({ min: 1, max: 1_000 }),
  minDelivered: fc.integer({ min: 0, max: 1_000_000 }),
});

describe("the address of a view", () => {
  it("shows the same again, whatever was chosen", () => {
    fc.assert(
      fc.property(states, (state) => {
        const { search } = new URL(writeState(state), "http://page");
        expect(readState(search)).toEqual(state);
      }),
    );
  });

  it("is the plain one for what is shown at first", () => {
    expect(writeState(START)).toBe("/");
    expect(readState("")).toEqual(START);
  });

  it.each([
    ["range=for-ever"],
    ["from=yesterday&to=today"],
    ["from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z"],
    ["sort=password&dir=sideways"],
    ["page=0"],
    ["page=-1&min=many"],
    ["range=constructor"],
  ])("takes %s for nothing", (query) => {
    expect(readState(query)).toEqual(START);
  });

  it("moves with the clock unless the range is fixed", () => {
    const now = new Date("2026-01-08T00:00:00Z");
    expect(boundsOf({ kind: "last", name: "7d" }, now)).toEqual({
      from: new Date("2026-01-01T00:00:00Z"),
      to: now,
    });
    const fixed = { from: new Date("2025-01-01T00:00:00Z"), to: new Date("2025-01-02T00:00:00Z") };
    expect(boundsOf({ kind: "fixed", ...fixed }, now)).toEqual(fixed);
  });
});
