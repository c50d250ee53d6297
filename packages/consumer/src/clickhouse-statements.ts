import { Readable } from "node:stream";
import type { ClickHouseClient } from "@clickhouse/client";
import { writeErrorOf } from "./clickhouse-write-error.js";
import type { Repeat } from "./repeat-passing.js";

/** A database, and what runs statements there. */
export interface AskedDatabase {
  readonly statements: ClickHouseStatements;
  readonly database: string;
}

/** Bounds of one statement. */
export interface StatementOptions {
  readonly database: string;
  /** After this time the server ends a statement by itself, so that an abandoned one cannot arrive late, s. */
  readonly maxExecutionSecs: number;
  /** The same of an insert. @default maxExecutionSecs */
  readonly maxInsertSecs?: number;
  /** Settings that a cluster needs on top, e.g. `insert_quorum = 'auto'`. */
  readonly insertSettings: readonly string[];
  /** Settings of reads that must see every acknowledged insert, e.g. `select_sequential_consistency = 1`. */
  readonly readSettings: readonly string[];
  /** What statements that write bear, so that {@link ClickHouseStatements.wordsOfRunning} finds them while the database is at them. */
  readonly word?: string;
  /** Where it is seen what the database is at, on whichever replica. @default system.processes */
  readonly processes?: string;
  /** How statements that change nothing when they are done twice are run: all but {@link ClickHouseStatements.insert}. @default once */
  readonly repeat?: Repeat;
}

/*
 * Settings travel in the statement: in `clickhouse_settings` they would stick to the session of an embedded engine.
 * One insert is one block: the block limits are above anything that a range can hold. Of each table partition (a month) it makes one part,
 * which is there as a whole or not at all.
 */
const INSERT_SETTINGS = [
  "async_insert = 0",
  "insert_deduplicate = 1",
  // It overrides the one above, also where only a profile sets it.
  "deduplicate_insert = 'enable'",
  "deduplicate_blocks_in_dependent_materialized_views = 1",
  "materialized_views_ignore_errors = 0",
  // A range of many months would be refused with code 252, which passes with time where it means too many parts.
  "max_partitions_per_insert_block = 0",
  "max_insert_block_size = 1000000",
  "min_insert_block_size_rows = 1000000",
  "min_insert_block_size_bytes = 1073741824",
  "use_strict_insert_block_limits = 0",
  "max_insert_block_size_bytes = 0",
  "input_format_max_block_size_bytes = 0",
  // Blocks by the time at which bytes arrive are other ones each time: then a name is no use (seen with 26.7: each insert doubled).
  "input_format_connection_handling = 0",
  "input_format_max_block_wait_ms = 0",
  "input_format_skip_unknown_fields = 0",
  "input_format_null_as_default = 0",
  "input_format_allow_errors_num = 0",
] as const;

/**
 * Queries count on them, whatever a profile says: a comparison with what a join has not found would be NULL, and hide it; a replica that does not
 * answer would pass for one that is at nothing.
 */
const QUERY_SETTINGS = ["join_use_nulls = 0", "skip_unavailable_shards = 0"] as const;

/** Runs inserts, removals and small queries, and turns every failure into a {@link WriteError}. */
export class ClickHouseStatements {
  readonly #client: ClickHouseClient;
  readonly #options: StatementOptions;

  constructor(client: ClickHouseClient, options: StatementOptions) {
    this.#client = client;
    this.#options = options;
  }

  /** The same statements, those that write with this word. */
  bearing(word: string): ClickHouseStatements {
    return new ClickHouseStatements(this.#client, { ...this.#options, word });
  }

  /** Which of these words are on a statement that the database is at. @throws WriteError */
  async wordsOfRunning(words: readonly string[]): Promise<ReadonlySet<string>> {
    const { processes = "system.processes" } = this.#options;
    const rows = await this.select<{ word: string }>(
      `SELECT DISTINCT Settings['log_comment'] AS word FROM ${processes}
       WHERE Settings['log_comment'] IN JSONExtract({words:String}, 'Array(String)')`,
      // As JSON: the client does not escape quotes within an `Array(String)` parameter.
      { words: JSON.stringify(words) },
    );
    return new Set(rows.map(({ word }) => word));
  }

  #wordSettings(): readonly string[] {
    const { word } = this.#options;
    return word === undefined ? [] : [`log_comment = ${quote(word)}`];
  }

  /**
   * Inserts JSONEachRow lines as one block.
   * @param token the same again inserts nothing while the table's deduplication window holds it.
   * @throws WriteError
   */
  async insert(table: string, token: string, lines: Buffer): Promise<void> {
    const { database, maxExecutionSecs, maxInsertSecs, insertSettings } = this.#options;
    const settings = [
      `insert_deduplication_token = ${quote(token)}`,
      `max_execution_time = ${maxInsertSecs ?? maxExecutionSecs}`,
      ...INSERT_SETTINGS,
      ...insertSettings,
      ...this.#wordSettings(),
    ];
    const query = `INSERT INTO ${database}.${table} SETTINGS ${settings.join(", ")} FORMAT JSONEachRow`;
    try {
      const result = await this.#client.exec({
        query,
        values: Readable.from([lines], { objectMode: false }),
        // A body cut short at a line's end would look complete without it.
        http_headers: { "Content-Length": String(lines.length) },
      });
      for await (const _ of result.stream) {
        // An insert answers nothing; reading to the end frees the connection.
      }
    } catch (error) {
      throw writeErrorOf(error, `The insert into ${table} failed`);
    }
  }

  /**
   * Inserts what a query gives; values only as `{name:Type}` parameters. The same rows as in an earlier insert are meant to be there again:
   * nothing is dropped as a repetition, whatever a profile says. @throws WriteError
   */
  async insertSelected(
    table: string,
    columns: string,
    query: string,
    params: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const { database, maxExecutionSecs, insertSettings, readSettings } = this.#options;
    const settings = [
      `max_execution_time = ${maxExecutionSecs}`,
      "insert_deduplicate = 0",
      // It overrides the one above for an INSERT SELECT; some of its values refuse queries that are not sure to give the same rows again.
      "deduplicate_insert_select = 'disable'",
      "max_partitions_per_insert_block = 0",
      ...QUERY_SETTINGS,
      ...insertSettings,
      ...readSettings,
      ...this.#wordSettings(),
    ];
    await this.#command(
      `INSERT INTO ${database}.${table} (${columns}) ${query} SETTINGS ${settings.join(", ")}`,
      params,
      `The insert into ${table} failed`,
    );
  }

  /**
   * Removes the rows of a condition, and resolves when they are gone; values only as `{name:Type}` parameters. What has begun goes on in the
   * database, whatever becomes of the statement. On a cluster each replica asks its own tables for the condition, and all take a part as that one makes it
   * which is done with it first. So what a condition asks of another table must be such that to see less of it removes less. @throws WriteError
   */
  async deleteFrom(
    table: string,
    condition: string,
    params: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const { database, maxExecutionSecs } = this.#options;
    const settings = [
      `max_execution_time = ${maxExecutionSecs}`,
      "mutations_sync = 2",
      // Replicated tables refuse a condition that asks another table, since it may not be the same on every replica: here it need not be, see above.
      "allow_nondeterministic_mutations = 1",
      ...this.#wordSettings(),
    ];
    await this.#command(
      `ALTER TABLE ${database}.${table} DELETE WHERE ${condition} SETTINGS ${settings.join(", ")}`,
      params,
      `The removal from ${table} failed`,
    );
  }

  async #command(
    query: string,
    params: Readonly<Record<string, unknown>>,
    failure: string,
  ): Promise<void> {
    await this.#run(() => this.#client.command({ query, query_params: { ...params } }), failure);
  }

  /** Rows of a query, all of which are held in memory; values only as `{name:Type}` parameters. @throws WriteError */
  async select<T>(query: string, params: Readonly<Record<string, unknown>>): Promise<readonly T[]> {
    const { maxExecutionSecs, readSettings } = this.#options;
    const settings = [
      `max_execution_time = ${maxExecutionSecs}`,
      ...QUERY_SETTINGS,
      ...readSettings,
    ];
    const rows = async () => {
      const result = await this.#client.query({
        query: `${query} SETTINGS ${settings.join(", ")}`,
        query_params: { ...params },
        format: "JSONEachRow",
      });
      return await result.json<T>();
    };
    return await this.#run(rows, "A query failed");
  }

  async #run<T>(attempt: () => Promise<T>, failure: string): Promise<T> {
    const { repeat = (once) => once() } = this.#options;
    return await repeat(async () => {
      try {
        return await attempt();
      } catch (error) {
        throw writeErrorOf(error, failure);
      }
    });
  }
}

/** A string literal. */
function quote(text: string): string {
  return `'${text.replace(/\\/g, "\\\\").replace(/'/g, "\\'")}'`;
}
