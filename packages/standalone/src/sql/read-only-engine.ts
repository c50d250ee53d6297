import { randomUUID } from "node:crypto";
import { Session } from "chdb";
import { quoteText } from "../quote-text.js";
import { boundSettings, type QuerySettings, type StatementBounds } from "./sql-settings.js";

/** What surrounds a statement. */
export interface StatementScope {
  /** Database of names that have none. */
  readonly database: string;
  /** Only such as may be set here. */
  readonly settings: QuerySettings;
  /** Values of `{name:Type}` parameters, escaped as in TabSeparated. */
  readonly params: Readonly<Record<string, string>>;
}

/** What the engine answers. */
export interface EngineAnswer {
  readonly bytes: Buffer;
  readonly resultRows: number;
  readonly elapsedSecs: number;
}

/** Asks the engine, on a connection on which it writes nothing and lets no bound be lifted. */
export type Ask = (statement: string, format: string) => Promise<EngineAnswer>;

/** An order to end a statement is repeated so often, since it may come before the statement has begun, ms. */
const KILL_INTERVAL_MS = 200;
/** How long after its own bound a statement may go on before it is killed, s. */
const GRACE_SECS = 2;
/** Queries yield to the threads that take reports in and insert them. */
const NICENESS = 10;

/**
 * The embedded engine, beside the connection that ingestion has. Each piece of work gets a connection of its own, which takes a
 * millisecond: whatever is set there is gone afterwards, and a statement waits for no other one.
 */
export class ReadOnlyEngine {
  readonly #path: string;
  readonly #bounds: StatementBounds;
  #version: string | null = null;
  #timeZone: string | null = null;

  /** @param path the folder that the engine has open in this process. */
  constructor(path: string, bounds: StatementBounds) {
    this.#path = path;
    this.#bounds = bounds;
  }

  /** Version of the engine, e.g. `26.7.2.1`. */
  get version(): string {
    return this.#version ?? "";
  }

  get timeZone(): string {
    return this.#timeZone ?? "";
  }

  /** Finds out what the engine says of itself. */
  async start(): Promise<void> {
    const scope = { database: "system", settings: new Map(), params: {} };
    await this.use(scope, new AbortController().signal, async (ask) => {
      const answer = await ask("SELECT version(), timezone()", "TSVRaw");
      [this.#version = "", this.#timeZone = ""] = answer.bytes.toString("utf8").trim().split("\t");
    });
  }

  /** The statement in the engine's own words. @throws the engine's error when it is none. */
  async format(statement: string): Promise<string> {
    const scope = { database: "system", settings: new Map(), params: {} };
    return this.use(scope, new AbortController().signal, async (ask) => {
      const answer = await ask(`SELECT formatQuery(${quoteText(statement)})`, "TSVRaw").catch(
        (error: unknown) => Promise.reject(withoutScope(error)),
      );
      return answer.bytes.toString("utf8");
    });
  }

  /**
   * Does a piece of work on a connection of its own.
   * @param stop ends the statement that is under way; the work then rejects with the engine's error 394.
   */
  async use<T>(
    scope: StatementScope,
    stop: AbortSignal,
    work: (ask: Ask) => Promise<T>,
  ): Promise<T> {
    const mark = randomUUID();
    const session = new Session(this.#path);
    try {
      for (const statement of this.#preparation(scope, mark)) await session.queryAsync(statement);
      return await work((statement, format) => this.#ask(session, statement, format, mark, stop));
    } finally {
      session.close();
    }
  }

  /** The last one makes all of them final: on a connection with `readonly = 1` no setting can be changed, by whatever means. */
  #preparation({ database, settings, params }: StatementScope, mark: string): readonly string[] {
    const values = new Map([
      ...boundSettings(this.#bounds),
      ["max_query_size", "4194304"],
      ["max_temporary_data_on_disk_size_for_query", String(this.#bounds.maxMemoryBytes)],
      ["os_threads_nice_value_query", String(NICENESS)],
      ["result_overflow_mode", "throw"],
      ...settings,
      ["log_comment", mark],
    ]);
    const named = Object.entries(params).map(([name, value]) => [`param_${name}`, value] as const);
    return [
      `USE \`${database}\``,
      setStatement([...values]),
      ...(named.length === 0 ? [] : [setStatement(named)]),
      "SET readonly = 1",
    ];
  }

  async #ask(
    session: Session,
    statement: string,
    format: string,
    mark: string,
    stop: AbortSignal,
  ): Promise<EngineAnswer> {
    const kill = () => void this.#kill(mark);
    let killing: NodeJS.Timeout | null = null;
    const killOn = () => {
      kill();
      killing ??= setInterval(kill, KILL_INTERVAL_MS);
    };
    const overdue = setTimeout(killOn, (this.#bounds.maxExecutionSecs + GRACE_SECS) * 1_000);
    stop.addEventListener("abort", killOn);
    if (stop.aborted) killOn();
    try {
      const result = await session.queryAsync(statement, { format });
      const bytes = result.bytes();
      return {
        bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
        // The engine's own name for it is misleading: it counts what comes out.
        resultRows: result.rowsRead,
        elapsedSecs: result.elapsed,
      };
    } finally {
      clearTimeout(overdue);
      if (killing !== null) clearInterval(killing);
      stop.removeEventListener("abort", killOn);
    }
  }

  /** Does not wait for the end: the engine's SYNC form waits for ever for a statement of the same process. */
  async #kill(mark: string): Promise<void> {
    const session = new Session(this.#path);
    try {
      await session.queryAsync(
        `KILL QUERY WHERE Settings['log_comment'] = ${quoteText(mark)} ASYNC FORMAT Null`,
      );
    } catch {
      // It is repeated until the statement has ended.
    } finally {
      session.close();
    }
  }
}

function setStatement(values: readonly (readonly [name: string, value: string])[]): string {
  return `SET ${values.map(([name, value]) => `${name} = ${quoteText(value)}`).join(", ")}`;
}

/** The error says where it came up: in a statement of ours, not of the one who asked. */
function withoutScope(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const message = error.message.replace(/: In scope SELECT formatQuery\(.*\)(?=\. \(\w+\))/s, "");
  return new Error(message, { cause: error });
}
