import { randomUUID } from "node:crypto";
import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import type { Logger, Part } from "@push-reports/service-kit";
import { isFromOtherSite } from "./local-callers.js";
import { frameNativeBlocks } from "./native-blocks.js";
import { QuerySlots } from "./query-slots.js";
import type { Ask, EngineAnswer, ReadOnlyEngine } from "./read-only-engine.js";
import { contentTypeOf, sendError, sendResult } from "./sql-answer.js";
import { engineErrorOf, type SqlError, SqlFault, sqlErrorOf } from "./sql-fault.js";
import { judgeTree, judgeWords, readableDatabases, singleStatement } from "./sql-guard.js";
import { readSqlRequest, type SqlRequest } from "./sql-request.js";
import { addressSettings, type StatementBounds, statementSettings } from "./sql-settings.js";

/** Where the SQL endpoint listens, and its bounds. */
export interface SqlServerOptions extends StatementBounds {
  readonly port: number;
  readonly host: string;
  /** The project's database: what names without a database belong to. */
  readonly database: string;
  /** Statements that may run or wait at once; one more is refused. */
  readonly maxQueries: number;
}

const MAX_QUERY_BYTES = 1_048_576;
const MAX_CONNECTIONS = 256;
/** As long as ClickHouse keeps an idle connection, since its clients count on that. */
const KEEP_ALIVE_MS = 30_000;
/** libuv has four threads by default; the log and ingestion each need one of them at any time. */
const MAX_RUNNING = 2;
/** What clients take for "I did not choose one". */
const DEFAULT_DATABASE = "default";

/**
 * ClickHouse's HTTP interface over the embedded engine, read only: `GET /?query=…`, `POST /`, `param_*`, `/ping`. Anyone who reaches
 * the port may read, so it listens on loopback unless told otherwise; credentials are not looked at.
 */
export class SqlServer implements Part {
  readonly name = "sql-server";
  readonly #engine: ReadOnlyEngine;
  readonly #options: SqlServerOptions;
  readonly #logger: Logger;
  readonly #server: Server;
  readonly #slots: QuerySlots;
  /** Requests under way, and how to end each. */
  readonly #underWay = new Map<Promise<void>, AbortController>();
  #isStopping = false;

  constructor(engine: ReadOnlyEngine, options: SqlServerOptions, logger: Logger) {
    this.#engine = engine;
    this.#options = options;
    this.#logger = logger;
    this.#slots = new QuerySlots({
      maxRunning: MAX_RUNNING,
      maxQueries: options.maxQueries,
      maxWaitMs: options.maxExecutionSecs * 1_000,
    });
    const timeouts = {
      requestTimeout: 30_000,
      headersTimeout: 10_000,
      keepAliveTimeout: KEEP_ALIVE_MS,
    };
    this.#server = createServer(timeouts, (req, res) => {
      const ending = new AbortController();
      res.on("close", () => ending.abort(new Error("The client has gone")));
      const answered = this.#answer(req, res, ending.signal).finally(() =>
        this.#underWay.delete(answered),
      );
      this.#underWay.set(answered, ending);
      if (this.#isStopping) ending.abort(stopping());
    });
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  /** The port that it listens on, once started. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** @throws the listen error, e.g. EADDRINUSE. */
  async start(): Promise<void> {
    const { port, host } = this.#options;
    await this.#engine.start();
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ port, host }, () => {
        this.#server.off("error", reject);
        resolve();
      });
    });
  }

  /** Ends the statements that run, since the engine cannot be closed before. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    for (const ending of this.#underWay.values()) ending.abort(stopping());
    const closed = this.#server.listening
      ? new Promise<void>((resolve) => this.#server.close(() => resolve()))
      : Promise.resolve();
    this.#server.closeIdleConnections();
    await Promise.all(this.#underWay.keys());
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(req: IncomingMessage, res: ServerResponse, stop: AbortSignal): Promise<void> {
    const headers = { "x-clickhouse-query-id": randomUUID() as string };
    try {
      await this.#route(req, res, headers, stop);
    } catch (error) {
      this.#fail(res, error, headers);
    }
  }

  async #route(
    req: IncomingMessage,
    res: ServerResponse,
    headers: OutgoingHttpHeaders,
    stop: AbortSignal,
  ): Promise<void> {
    const { pathname, searchParams } = new URL(req.url ?? "/", "http://localhost");
    if (isFromOtherSite(req) && isLoopback(this.#options.host))
      throw new SqlFault("ACCESS_DENIED", "Pages of other sites cannot ask here");
    const asks = req.method === "POST" || searchParams.has("query");
    if (pathname === "/ping" || (pathname === "/" && !asks)) return void res.end("Ok.\n");
    if (pathname !== "/")
      return void res.writeHead(404).end(`There is no handle ${pathname}. Use / or /ping\n`);
    const request = await readSqlRequest(req, MAX_QUERY_BYTES);
    if (request.queryId !== null) headers["x-clickhouse-query-id"] = printable(request.queryId);
    const { answer, format } = await this.#slots.run(stop, () => this.#run(request, stop));
    const bytes = format === "Native" ? framed(answer, request) : answer.bytes;
    await sendResult(req, res, { ...headers, ...this.#headersOf(answer, format) }, bytes);
  }

  /** Nothing of a statement runs before it has been judged, on the same connection on which it then runs. */
  async #run(
    request: SqlRequest,
    stop: AbortSignal,
  ): Promise<{ readonly answer: EngineAnswer; readonly format: string }> {
    const own = this.#options.database;
    const database = this.#databaseOf(request);
    const text = singleStatement(request.sql);
    const facts = judgeWords(await this.#engine.format(text));
    const format = facts.format ?? request.defaultFormat;
    const settings = new Map([
      ...addressSettings(request.settings, this.#options),
      ...statementSettings(facts.settings, this.#options),
    ]);
    const scope = { database, settings, params: request.params };
    const answer = await this.#engine.use(scope, stop, async (ask: Ask) => {
      const tree = await ask(`EXPLAIN AST ${text}`, "TSVRaw");
      judgeTree(tree.bytes.toString("utf8").split("\n"), own, database);
      return ask(text, format);
    });
    return { answer, format };
  }

  #databaseOf({ database }: SqlRequest): string {
    const own = this.#options.database;
    if (database === null || database === "" || database === DEFAULT_DATABASE) return own;
    if (readableDatabases(own).includes(database)) return database;
    throw new SqlFault("UNKNOWN_DATABASE", `Database ${JSON.stringify(database)} does not exist`);
  }

  #headersOf(answer: EngineAnswer, format: string): OutgoingHttpHeaders {
    const summary = {
      result_rows: String(answer.resultRows),
      elapsed_ns: String(Math.round(answer.elapsedSecs * 1e9)),
    };
    return {
      "x-clickhouse-format": format,
      "x-clickhouse-timezone": this.#engine.timeZone,
      "x-clickhouse-summary": JSON.stringify(summary),
      "x-content-type-options": "nosniff",
      "content-type": contentTypeOf(format),
    };
  }

  #fail(res: ServerResponse, error: unknown, headers: OutgoingHttpHeaders): void {
    if (res.headersSent || res.destroyed) res.destroy();
    else sendError(res, this.#errorOf(error), headers);
  }

  #errorOf(error: unknown): SqlError {
    const { version } = this.#engine;
    if (error instanceof SqlFault) return sqlErrorOf(error, version);
    const ofEngine = engineErrorOf(error, version);
    if (ofEngine !== null) return ofEngine;
    this.#logger.error("sql_failed", { error });
    return sqlErrorOf(new SqlFault("UNKNOWN_EXCEPTION", "The query could not be run"), version);
  }
}

function framed({ bytes }: EngineAnswer, { protocolVersion }: SqlRequest): Buffer {
  return protocolVersion === 0 ? bytes : frameNativeBlocks(bytes, protocolVersion);
}

function stopping(): SqlFault {
  return new SqlFault("UNKNOWN_EXCEPTION", "The server is shutting down");
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}

/** What may stand in a header. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "?").slice(0, 200);
}
