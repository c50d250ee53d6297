import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { Backoff } from "../../src/index.js";

describe("a backoff", () => {
  it("doubles its bound up to the greatest, and begins anew after a reset", () => {
    const backoff = new Backoff({ initialMs: 100, maxMs: 700, random: () => 0.999_999_9 });
    expect([1, 2, 3, 4, 5].map(() => backoff.next())).toEqual([100, 200, 400, 700, 700]);
    expect(backoff.attempts).toBe(5);
    backoff.reset();
    expect(backoff.attempts).toBe(0);
    expect(backoff.next()).toBe(100);
  });

  it("keeps every delay within the upper half of its bound, for ever", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.integer({ min: 1, max: 100_000 }),
        fc.double({ min: 0, max: 0.999_999, noNaN: true }),
        fc.integer({ min: 0, max: 2_000 }),
        (initialMs, more, random, before) => {
          const maxMs = initialMs + more;
          const backoff = new Backoff({ initialMs, maxMs, random: () => random });
          let delay = 0;
          for (let n = 0; n <= before; n += 1) delay = backoff.next();
          const bound = Math.min(maxMs, initialMs * 2 ** before);
          expect(delay).toBeLessThanOrEqual(bound);
          expect(delay).toBeGreaterThanOrEqual(Math.floor(bound / 2));
        },
      ),
    );
  });

  it("spreads: two that fail together do not come back together", () => {
    const delays = Array.from({ length: 20 }, () =>
      new Backoff({ initialMs: 10_000, maxMs: 10_000 }).next(),
    );
    expect(new Set(delays).size).toBeGreaterThan(10);
  });
});
