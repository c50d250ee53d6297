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

/** Asks the database, a bounded number of questions at a time. */
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

  /** @throws AskError */
  async table(name: string, question: Question, answers: Answers): Promise<Table> {
    return await this.#ask(name, question, answers, async (query, query_params) => {
      const result = await this.#client.query({ query, query_params, format: "JSONCompact" });
      const { meta, data } = (await result.json()) as unknown as {
        readonly meta: readonly { readonly name: string }[];
        readonly data: Table["rows"];
      };
      return { columns: meta.map((column) => column.name), rows: data };
    });
  }

  /** The same as text of comma-separated values with a line of names. @throws AskError */
  async csv(name: string, question: Question, answers: Answers): Promise<string> {
    return await this.#ask(name, question, answers, async (query, query_params) => {
      const result = await this.#client.query({ query, query_params, format: "CSVWithNames" });
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
    run: (query: string, params: Record<string, string | number>) => Promise<T>,
  ): Promise<T> {
    if (this.#asking >= this.#options.maxQuestions) {
      this.#metrics.questions.inc({ question: name, outcome: "busy" });
      throw new AskError("busy", "Many people ask at this moment; it is tried again by itself.");
    }
    const statement = this.statement(question, answers);
    const bound = boundNames(statement);
    const params = Object.fromEntries(Object.entries(answers).filter(([key]) => bound.has(key)));
    this.#asking += 1;
    const end = this.#metrics.questionSeconds.startTimer({ question: name });
    try {
      const table = await run(`${statement}\nSETTINGS ${this.#settings()}`, params);
      this.#metrics.questions.inc({ question: name, outcome: "answered" });
      return table;
    } catch (error) {
      const failure = askErrorOf(error);
      this.#metrics.questions.inc({ question: name, outcome: failure.code });
      throw failure;
    } finally {
      end();
      this.#asking -= 1;
    }
  }

  /** In the statement: as settings of the client they would stick to the session of an embedded engine. */
  #settings(): string {
    const { timeoutSecs } = this.#options;
    return `max_execution_time = ${timeoutSecs}, max_memory_usage = ${MAX_MEMORY_BYTES}, max_result_rows = ${MAX_ROWS}`;
  }
}

function askErrorOf(error: unknown): AskError {
  if (error instanceof ClickHouseError && GIVEN_UP.has(error.code))
    return new AskError("too_large", "That is too much to answer: choose a shorter time.", error);
  return new AskError(
    "unavailable",
    "The database gives no answer. It is tried again by itself; the service's log says why.",
    error,
  );
}
