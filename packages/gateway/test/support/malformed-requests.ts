import { CONFORMANCE_INSTANCE_ID } from "@push-reports/test-support";
import fc from "fast-check";

/** Bytes for one connection, which begin as a POST to the reporting path, and whether the client closes its side then. */
export interface MalformedRequest {
  readonly bytes: Buffer;
  readonly closesItsSide: boolean;
}

const REPORT = JSON.stringify({
  event: "open",
  publishId: "p",
  deviceId: "d",
  timestampSecs: 1,
});

const target = fc
  .oneof(
    { weight: 4, arbitrary: fc.constant(CONFORMANCE_INSTANCE_ID) },
    fc.constantFrom("", "x", "%", "%zz", "%00", "..", "%2e%2e", "a%2Fb", "%F0%9F"),
    fc.webSegment(),
  )
  .map((id) => `/reporting_api/v2/instances/${id}/events`);

/** A request to a proxy names scheme and authority, which may be any text. */
const origin = fc.oneof(
  { weight: 6, arbitrary: fc.constant("") },
  fc.constantFrom("http://x", "http://[::1", "HTTPS://x:http", "a+b://u:p@:@y:99999", "http://"),
  fc.string({ maxLength: 12 }).map((authority) => `http://${authority.replaceAll(/[\s/?#]/g, "")}`),
);

const suffix = fc.oneof(
  { weight: 4, arbitrary: fc.constant("") },
  fc.constantFrom("/", "?", "?a=%", "?a[b]=c&__proto__[x]=1", "?/../..", "#x", "#%zz"),
);

const version = fc.oneof(
  { weight: 6, arbitrary: fc.constant("HTTP/1.1") },
  fc.constantFrom("HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/1.2", "HTTX/1.1", "http/1.1", ""),
);

const body = fc.oneof(
  { weight: 3, arbitrary: fc.constant(REPORT) },
  fc.json(),
  fc.string(),
  fc.string({ unit: "binary" }),
  fc.constantFrom("", "{", "[".repeat(20_000), `{"a":"${"x".repeat(20_000)}"}`, "\xff\xfe", "null"),
  fc
    .record({
      event: fc.anything(),
      publishId: fc.anything(),
      deviceId: fc.anything(),
      timestampSecs: fc.anything(),
      userId: fc.anything(),
    })
    .map((value) => JSON.stringify(value) ?? ""),
);

const header = fc.oneof(
  fc.constantFrom(
    "host: x",
    "host: x\r\nhost: y",
    "content-type: application/json",
    "content-type: text/html",
    "Content-Type : application/json",
    "content-encoding: gzip",
    "content-encoding: br, gzip, deflate",
    "content-encoding: \u00fc",
    "expect: 100-continue",
    "expect: 200-ok",
    "connection: close",
    "connection: keep-alive, upgrade",
    "upgrade: h2c",
    "content-length: 5",
    "content-length: -1",
    "content-length: 1e3",
    "content-length: 99999999999999999999",
    "content-length: ",
    "transfer-encoding: chunked",
    "transfer-encoding: gzip",
    "transfer-encoding: chunked, chunked",
    "transfer-encoding: \x0bchunked",
    "x-forwarded-for: ,,,",
    `x-long: ${"y".repeat(17_000)}`,
    " folded: line",
    ": nameless",
    "x",
    "x: \0",
  ),
  fc
    .tuple(fc.string({ maxLength: 8 }), fc.string({ maxLength: 8 }))
    .map(([name, value]) => `${name}: ${value}`),
);

/** How the body is announced: rightly, wrongly or not at all. */
const framing = fc.constantFrom(
  (text: string) => ({ header: `content-length: ${Buffer.byteLength(text)}`, sent: text }),
  (text: string) => ({ header: `content-length: ${Buffer.byteLength(text) + 3}`, sent: text }),
  (text: string) => ({
    header: `content-length: ${Math.max(0, Buffer.byteLength(text) - 3)}`,
    sent: text,
  }),
  (text: string) => ({ header: "transfer-encoding: chunked", sent: chunked(text, text.length) }),
  (text: string) => ({
    header: "transfer-encoding: chunked",
    sent: chunked(text, text.length + 2),
  }),
  (text: string) => ({ header: "transfer-encoding: chunked", sent: text }),
  (text: string) => ({ header: "x-nothing: said", sent: text }),
);

function chunked(text: string, size: number): string {
  return `${size.toString(16)}\r\n${text}\r\n0\r\n\r\n`;
}

/** A request that may be right, and may be wrong in any number of ways at once. */
export const malformedRequest: fc.Arbitrary<MalformedRequest> = fc
  .record({
    origin,
    target,
    suffix,
    version,
    headers: fc.array(header, { maxLength: 4 }),
    isJson: fc.boolean(),
    framing,
    body,
    lineEnd: fc.oneof({ weight: 8, arbitrary: fc.constant("\r\n") }, fc.constantFrom("\n", "\r")),
    keptShare: fc.oneof(
      { weight: 4, arbitrary: fc.constant(1) },
      fc.double({ min: 0.01, max: 1, noNaN: true }),
    ),
    rest: fc.oneof(
      { weight: 4, arbitrary: fc.constant("") },
      fc.constantFrom("\0", "garbage\r\n\r\n", "\r\n\r\n"),
    ),
    closesItsSide: fc.boolean(),
  })
  .map((parts) => {
    const { header: framingHeader, sent } = parts.framing(parts.body);
    const lines = [
      `POST ${parts.origin}${parts.target}${parts.suffix} ${parts.version}`,
      ...(parts.isJson ? ["content-type: application/json"] : []),
      ...parts.headers,
      framingHeader,
      "",
      sent,
    ];
    const bytes = Buffer.from(lines.join(parts.lineEnd) + parts.rest);
    const kept = Math.max(1, Math.floor(bytes.length * parts.keptShare));
    return { bytes: bytes.subarray(0, kept), closesItsSide: parts.closesItsSide };
  });
