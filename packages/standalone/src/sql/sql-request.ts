import type { IncomingMessage } from "node:http";
import { inflateBody } from "@push-reports/gateway";
import { SqlFault } from "./sql-fault.js";

/** A query as ClickHouse's HTTP interface takes it. */
export interface SqlRequest {
  readonly sql: string;
  readonly params: Readonly<Record<string, string>>;
  /** Settings that stand in the address. */
  readonly settings: ReadonlyMap<string, string>;
  readonly queryId: string | null;
  /** Database of names that have none, when the query says so. */
  readonly database: string | null;
  /** Format when the statement names none. */
  readonly defaultFormat: string;
  /** The version of ClickHouse's own protocol that the client writes Native blocks in; 0 for none. */
  readonly protocolVersion: number;
}

const NAME = /^[A-Za-z_]\w{0,63}$/;
const PARAM = "param_";
/** Parameters that are no settings. */
const OWN: ReadonlySet<string> = new Set([
  "compress",
  "database",
  "decompress",
  "default_format",
  "query",
  "query_id",
]);

/**
 * Reads a query: the parameter `query`, then the body. Names come from the address first, then from `X-ClickHouse-…` headers.
 * @throws SqlFault when it is too large or in a form that cannot be read here.
 */
export async function readSqlRequest(req: IncomingMessage, maxBytes: number): Promise<SqlRequest> {
  const { searchParams } = new URL(req.url ?? "/", "http://localhost");
  refuseForms(req, searchParams);
  const query = searchParams.get("query") ?? "";
  const body = req.method === "POST" ? await readText(req, maxBytes) : "";
  if (query.length + body.length > maxBytes) throw tooLarge(maxBytes);
  const entries = [...searchParams].map(([name, value]) => [checkedName(name), value] as const);
  return {
    sql: [query, body].filter((part) => part !== "").join("\n"),
    params: Object.fromEntries(
      entries
        .filter(([name]) => name.startsWith(PARAM))
        .map(([name, value]) => [name.slice(PARAM.length), value]),
    ),
    settings: new Map(entries.filter(([name]) => !name.startsWith(PARAM) && !OWN.has(name))),
    queryId: searchParams.get("query_id"),
    database: searchParams.get("database") ?? header(req, "x-clickhouse-database"),
    defaultFormat: checkedName(
      searchParams.get("default_format") ?? header(req, "x-clickhouse-format") ?? "TabSeparated",
    ),
    protocolVersion: Number(searchParams.get("client_protocol_version") ?? 0) || 0,
  };
}

function refuseForms(req: IncomingMessage, searchParams: URLSearchParams): void {
  const isOn = (name: string) => !["0", "false", null].includes(searchParams.get(name));
  if (isOn("compress") || isOn("decompress"))
    throw new SqlFault(
      "NOT_IMPLEMENTED",
      "Blocks compressed by ClickHouse's own method are not known here: use gzip (Accept-Encoding: gzip, or CompressionGZIP of clickhouse-go)",
    );
  if (/^multipart\//i.test(req.headers["content-type"] ?? ""))
    throw new SqlFault("NOT_IMPLEMENTED", "External tables cannot be sent here");
}

/** Names go into statements as they are. */
function checkedName(name: string): string {
  if (!NAME.test(name)) throw new SqlFault("BAD_ARGUMENTS", `${JSON.stringify(name)} is no name`);
  return name;
}

function header(req: IncomingMessage, name: string): string | null {
  const value = req.headers[name];
  return typeof value === "string" && value !== "" ? value : null;
}

async function readText(req: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  const body = inflateBody(Buffer.concat(chunks), req.headers["content-encoding"], maxBytes);
  if (body === null)
    throw new SqlFault(
      "BAD_ARGUMENTS",
      `The body is not of its Content-Encoding (gzip, deflate or br), or larger than ${maxBytes} bytes`,
    );
  return body.toString("utf8");
}

function tooLarge(maxBytes: number): SqlFault {
  return new SqlFault("QUERY_IS_TOO_LARGE", `A query has at most ${maxBytes} bytes here`);
}
