import { waitFor } from "@push-reports/test-support";
import { passOn } from "./answers.js";
import type { Exchange } from "./clickhouse-proxy.js";

/** How long it may take until a statement is sent: rebalances and retries may come before it, ms. */
const SENT_TIMEOUT_MS = 60_000;

/** What becomes of one statement and of its answer. */
export type AnswerKind = (exchange: Exchange) => Promise<void>;

/** A table that is inserted into. */
export type StatementTable = "reports" | "probe" | "ledger" | "dead_letters";

interface Plan {
  readonly table: StatementTable;
  readonly answer: AnswerKind;
  readonly taken: () => void;
}

/** The answers that the next statements of a group's consumers get, whichever of them sends one. */
export class PlannedAnswers {
  #plans: readonly Plan[] = [];

  /** The next statement of that kind is answered so. @throws Error when none is sent. */
  async plan(table: StatementTable, answer: AnswerKind): Promise<void> {
    let isTaken = false;
    const taken = () => {
      isTaken = true;
    };
    this.#plans = [...this.#plans, { table, answer, taken }];
    await waitFor(() => isTaken, {
      what: `an insert into ${table}`,
      timeoutMs: SENT_TIMEOUT_MS,
      intervalMs: 10,
    });
  }

  /** The answer for a statement that has come. */
  take(table: string | null): AnswerKind {
    const plan = this.#plans.find((planned) => planned.table === table);
    if (plan === undefined) return passOn;
    this.#plans = this.#plans.filter((planned) => planned !== plan);
    plan.taken();
    return plan.answer;
  }
}
