import { type ClickHouseClient, ClickHouseError } from "@clickhouse/client";
import type { InsightsMetrics } from "./metrics.js";
import { type Answers, boundNames, type Question } from "./question.js";

/** Why a question has no answer. */
export type AskErrorCode =
  /** Too many questions are with the database already. */
  | "busy"
  /** The database gave up: too long, or too much memory. */
  | "too_large"
  /** The database cannot be reached, or lacks what the page needs. */
  | "unavailable";

/** A question without an answer; `message` is for people. */
export class AskError extends Error {
  override readonly name = "AskError";
  readonly code: AskErrorCode;

  constructor(code: AskErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** Rows of an answer, column by column as the statement names them. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number | boolean | null)[])[];
}

/** A question in the client's words. */
interface Asked {
  readonly query: string;
  readonly query_params: Record<string, string | number>;
  readonly abort_signal: AbortSignal;
}

/** Bounds of {@link Asker}. */
export interface AskerOptions {
  /** Database that unqualified names of tables are in. */
  readonly database: string;
  readonly maxQuestions: number;
  readonly timeoutSecs: number;
}

/** Rows of one answer. */
export const MAX_ROWS = 100_000;
/** What one question may take. */
const MAX_MEMORY_BYTES = 2_147_483_648;
/** ClickHouse's codes of a question that was given up: time, rows, bytes, memory. */
const GIVEN_UP: ReadonlySet<string> = new Set(["158", "159", "241", "307", "396"]);
/** Beyond its own time a question may take that long to notice that it is over, s. */
const OVERRUN_SECS = 5;

/** Asks the database, a bounded number of questions at a time. An engine that does one at a time lets the others wait for their turn. */
export class Asker {
  readonly #client: ClickHouseClient;
  readonly #metrics: InsightsMetrics;
  readonly #options: AskerOptions;
  #asking = 0;

  constructor(client: ClickHouseClient, metrics: InsightsMetrics, options: AskerOptions) {
    this.#client = client;
    this.#metrics = metrics;
    this.#options = options;
  }

  /** Within how long a question is answered, or refused: it waits for its turn as long as one question may take, s. */
  get answerSecs(): number {
    return 2 * this.#longestSecs;
  }

  /** @param left whoever asks is gone: what waits for its turn is not asked. @throws AskError; the reason of `left` */
  async table(
    name: string,
    question: Question,
    answers: Answers,
    left: AbortSignal,
  ): Promise<Table> {
    return await this.#ask(name, question, answers, left, async (asked) => {
      const result = await this.#client.query({ ...asked, format: "JSONCompact" });
      const { meta, data } = (await result.json()) as unknown as {
        readonly meta: readonly { readonly name: string }[];
        readonly data: Table["rows"];
      };
      return { columns: meta.map((column) => column.name), rows: data };
    });
  }

  /** The same as text of comma-separated values with a line of names. @throws as {@link table} */
  async csv(
    name: string,
    question: Question,
    answers: Answers,
    left: AbortSignal,
  ): Promise<string> {
    return await this.#ask(name, question, answers, left, async (asked) => {
      const result = await this.#client.query({ ...asked, format: "CSVWithNames" });
      return await result.text();
    });
  }

  /** The statement as it is run, but for its bounds. */
  statement(question: Question, answers: Answers): string {
    return question.sql(answers).replaceAll("$db", this.#options.database);
  }

  async #ask<T>(
    name: string,
    question: Question,
    answers: Answers,
    left: AbortSignal,
    run: (asked: Asked) => Promise<T>,
  ): Promise<T> {
    if (this.#asking >= this.#options.maxQuestions) {
      this.#metrics.questions.inc({ question: name, outcome: "busy" });
      throw busy();
    }
    const statement = this.statement(question, answers);
    const bound = boundNames(statement);
    const params = Object.fromEntries(Object.entries(answers).filter(([key]) => bound.has(key)));
    this.#asking += 1;
    const end = this.#metrics.questionSeconds.startTimer({ question: name });
    const overdue = AbortSignal.timeout(this.#longestSecs * 1_000);
    try {
      const table = await run({
        query: `${statement}\nSETTINGS ${this.#settings()}`,
        query_params: params,
        abort_signal: AbortSignal.any([left, overdue]),
      });
      this.#metrics.questions.inc({ question: name, outcome: "answered" });
      return table;
    } catch (error) {
      if (left.aborted) {
        this.#metrics.questions.inc({ question: name, outcome: "left" });
        throw left.reason;
      }
      const failure = askErrorOf(error, overdue.aborted);
      this.#metrics.questions.inc({ question: name, outcome: failure.code });
      throw failure;
    } finally {
      end();
      this.#asking -= 1;
    }
  }

  /** How long one question may take, s. */
  get #longestSecs(): number {
    return this.#options.timeoutSecs + OVERRUN_SECS;
  }

  /** In the statement: as settings of the client they would stick to the session of an embedded engine. */
  #settings(): string {
    const { timeoutSecs } = this.#options;
    return `max_execution_time = ${timeoutSecs}, max_memory_usage = ${MAX_MEMORY_BYTES}, max_result_rows = ${MAX_ROWS}`;
  }
}

const busy = (cause?: unknown) =>
  new AskError("busy", "Much is asked at this moment; it is tried again by itself.", cause);

function askErrorOf(error: unknown, isOverdue: boolean): AskError {
  if (error instanceof ClickHouseError && GIVEN_UP.has(error.code))
    return new AskError(
      "too_large",
      "That is too much to answer now: choose a shorter time. It is tried again from time to time.",
      error,
    );
  if (isOverdue) return busy(error);
  return new AskError(
    "unavailable",
    "The database gives no answer. It is tried again by itself; the service's log says why.",
    error,
  );
}
