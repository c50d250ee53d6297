/** How a check ended. A warning is something to look at; what failed loses reports or stops the pipeline sooner or later. */
export type FindingStatus = "ok" | "warning" | "failed";

/** What a check found, in one line. */
export interface Finding {
  /** What was looked at, as `topic: retention`. */
  readonly check: string;
  readonly status: FindingStatus;
  /** What is so. */
  readonly detail: string;
  /** What to do; empty when all is well. */
  readonly fix: string;
}

/** All is well. */
export const ok = (check: string, detail: string): Finding => ({
  check,
  status: "ok",
  detail,
  fix: "",
});

/** Something to look at. */
export const warning = (check: string, detail: string, fix: string): Finding => ({
  check,
  status: "warning",
  detail,
  fix,
});

/** Something to mend. */
export const failed = (check: string, detail: string, fix: string): Finding => ({
  check,
  status: "failed",
  detail,
  fix,
});

const WORDS: Readonly<Record<FindingStatus, string>> = {
  ok: "ok     ",
  warning: "warning",
  failed: "FAILED ",
};

/** One line of text, with the fix where there is one. */
export function lineOf({ status, check, detail, fix }: Finding): string {
  return `${WORDS[status]} ${check}: ${detail}${fix === "" ? "" : ` Fix: ${fix}`}`;
}
