import type { Figure } from "../figures/figure.js";
import type { Lab } from "../services/lab.js";

/** How much of it. */
export interface CaseOptions {
  /** How often each pair is measured, one after the other. */
  readonly rounds: number;
  /** One measured window, ms. */
  readonly windowMs: number;
  /** Whether what takes many minutes is done in full. */
  readonly isLong: boolean;
  readonly say: (text: string) => void;
}

/** What a case found. */
export interface CaseResult {
  readonly figures: readonly Figure[];
  /** What a reader must know to read the figures: what was scaled, what they hold. */
  readonly notes: readonly string[];
}

/** Something that can be measured by itself. */
export interface BenchCase {
  readonly name: string;
  readonly title: string;
  /** Whether it needs a Docker engine. */
  readonly needsContainers: boolean;
  run(lab: Lab, options: CaseOptions): Promise<CaseResult>;
}
