import { ratiosOf, type Spread, spreadOf } from "./spread.js";

/** What a figure has to reach. */
export interface Target {
  readonly reach: "at most" | "at least";
  readonly value: number;
}

/** Something that was measured. */
export interface Figure {
  readonly what: string;
  readonly unit: string;
  readonly measured: Spread;
  /** What it is compared with, measured beside it. */
  readonly against?: { readonly what: string; readonly measured: Spread };
  readonly ratio?: Spread;
  /** Of the ratio where there is one, else of the figure itself. */
  readonly target?: Target;
}

/** How a figure stands to its target. */
export type Verdict = "met" | "within noise" | "missed" | "no target";

/** A figure that stands for itself. */
export function figure(
  what: string,
  unit: string,
  runs: readonly number[],
  target?: Target,
): Figure {
  return { what, unit, measured: spreadOf(runs), ...(target === undefined ? {} : { target }) };
}

/** A figure against another one of the same unit, in pairs that were measured side by side. */
export function comparison(
  what: string,
  unit: string,
  runs: readonly number[],
  against: { readonly what: string; readonly runs: readonly number[] },
  target?: Target,
): Figure {
  return {
    what,
    unit,
    measured: spreadOf(runs),
    against: { what: against.what, measured: spreadOf(against.runs) },
    ratio: ratiosOf(runs, against.runs),
    ...(target === undefined ? {} : { target }),
  };
}

/** A target counts as missed only when it is missed by more than the noise. A figure that is no number misses it. */
export function verdictOf({ measured, ratio, target }: Figure): Verdict {
  if (target === undefined) return "no target";
  const { median, noise } = ratio ?? measured;
  const missedBy = target.reach === "at most" ? median - target.value : target.value - median;
  if (missedBy <= 0) return "met";
  return missedBy <= noise ? "within noise" : "missed";
}

export const atMost = (value: number): Target => ({ reach: "at most", value });
export const atLeast = (value: number): Target => ({ reach: "at least", value });
