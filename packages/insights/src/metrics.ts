import { Counter, Histogram, type Registry } from "prom-client";
import type { AskErrorCode } from "./asker.js";

/** Every series that the page exports besides the process's own. */
export interface InsightsMetrics {
  readonly questions: Counter<"question" | "outcome">;
  readonly questionSeconds: Histogram<"question">;
}

/** How a question can end. */
export type QuestionOutcome =
  | "answered"
  | AskErrorCode
  /** Whoever asked was gone before the answer. */
  | "left";

/** Registers them; call it once a registry. */
export function createInsightsMetrics(registry: Registry): InsightsMetrics {
  const registers = [registry];
  return {
    questions: new Counter({
      name: "push_reports_insights_questions_total",
      help: "Questions to the database, by how they ended.",
      labelNames: ["question", "outcome"],
      registers,
    }),
    questionSeconds: new Histogram({
      name: "push_reports_insights_question_seconds",
      help: "Time that a question took, its wait for a turn included.",
      labelNames: ["question"],
      buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers,
    }),
  };
}
