import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { Readable, type Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createBrotliCompress, createDeflate, createGzip } from "node:zlib";
import type { SqlError } from "./sql-fault.js";

/** Statuses of ClickHouse's error codes, as its exceptionCodeToHTTPStatus has them; any other code is 500. */
const STATUS: ReadonlyMap<number, number> = new Map([
  ...[194].map((code) => [code, 401] as const),
  ...[192, 193, 497, 512, 516].map((code) => [code, 403] as const),
  ...[
    6, 8, 15, 25, 26, 27, 36, 37, 38, 41, 44, 53, 62, 72, 117, 123, 167, 168, 223, 321, 376, 427,
    441, 675, 676,
  ].map((code) => [code, 400] as const),
  ...[46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 152, 336, 511].map((code) => [code, 404] as const),
  ...[229].map((code) => [code, 413] as const),
  ...[48].map((code) => [code, 501] as const),
  ...[76, 209, 439].map((code) => [code, 503] as const),
  ...[159].map((code) => [code, 408] as const),
]);

const UTF8 = "; charset=UTF-8";
/** Content types of formats, by the beginning of their name; the first that fits. */
const CONTENT_TYPES: readonly (readonly [RegExp, string])[] = [
  [
    /^JSON(Strings|Columns|ColumnsWithMetadata|Compact|CompactStrings|CompactColumns|ObjectEachRow)?$/,
    `application/json${UTF8}`,
  ],
  [/^JSON.*EachRow/, `application/x-ndjson${UTF8}`],
  [/^CSV.*WithNames/, `text/csv${UTF8}; header=present`],
  [/^CSV/, `text/csv${UTF8}; header=absent`],
  [/^(TSV|TabSeparated)/, `text/tab-separated-values${UTF8}`],
  [/^XML$/, `application/xml${UTF8}`],
  [/^HTML$/, `text/html${UTF8}`],
  [/^Markdown$/, `text/markdown${UTF8}`],
  [
    /^(Native|RowBinary|Parquet|Arrow|ORC|Avro|BSON|MsgPack|Protobuf|CapnProto|Npy)/,
    "application/octet-stream",
  ],
];

/** What ClickHouse's interface says of the content of a format. */
export function contentTypeOf(format: string): string {
  return CONTENT_TYPES.find(([pattern]) => pattern.test(format))?.[1] ?? `text/plain${UTF8}`;
}

/** Sends a result, compressed when the client takes that. Rejects when the client goes. */
export async function sendResult(
  req: IncomingMessage,
  res: ServerResponse,
  headers: OutgoingHttpHeaders,
  bytes: Buffer,
): Promise<void> {
  const [encoding, compressor] = compressionFor(req);
  if (compressor === null || bytes.length === 0) {
    res.writeHead(200, { ...headers, "content-length": bytes.length });
    return void res.end(bytes);
  }
  res.writeHead(200, { ...headers, "content-encoding": encoding });
  await pipeline(Readable.from([bytes], { objectMode: false }), compressor, res);
}

/** Sends an error as ClickHouse does: its text as body, its code in a header. */
export function sendError(
  res: ServerResponse,
  error: SqlError,
  headers: OutgoingHttpHeaders,
): void {
  res.writeHead(STATUS.get(error.code) ?? 500, {
    ...headers,
    "x-clickhouse-exception-code": error.code,
    "content-type": `text/plain${UTF8}`,
  });
  res.end(`${error.text}\n`);
}

/** ClickHouse's order of preference, among what Node.js has in all versions. */
function compressionFor(req: IncomingMessage): readonly [string, Transform | null] {
  const url = new URL(req.url ?? "/", "http://localhost");
  const accepted = String(req.headers["accept-encoding"] ?? "");
  if (url.searchParams.get("enable_http_compression") === "0") return ["", null];
  if (/\bbr\b/.test(accepted))
    return ["br", createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: 3 } })];
  if (/\bgzip\b/.test(accepted)) return ["gzip", createGzip({ level: 3 })];
  if (/\bdeflate\b/.test(accepted)) return ["deflate", createDeflate({ level: 3 })];
  return ["", null];
}
