import {
  CONFORMANCE_PATH,
  CONTENT_TYPE,
  type ConformanceAnswer,
  ORIGIN,
  refusalAnswer,
  UNREADABLE,
  VALID_BYTES,
} from "./conformance-case.js";

/** A case of which only the bytes can tell what is meant: what no HTTP client sends, and every HTTP parser meets. */
export interface WireCase {
  /** A sentence that completes "the gateway …". */
  readonly name: string;
  /** Sent at once, on a connection of its own. */
  readonly bytes: Buffer;
  /** Whether the client closes its side once all is sent, and still listens. */
  readonly closesItsSide: boolean;
  /** In order. */
  readonly answers: readonly ConformanceAnswer[];
  /** How many of the requests become rows. */
  readonly rows: number;
}

const CRLF = "\r\n";
const BODY = VALID_BYTES.toString("latin1");
const TYPE = "content-type: application/json";
const LENGTH = `content-length: ${BODY.length}`;

const post = (headers: readonly string[], body: string, version = "HTTP/1.1") =>
  [`POST ${CONFORMANCE_PATH} ${version}`, ...headers, "", body].join(CRLF);
const chunk = (text: string) => `${text.length.toString(16)}${CRLF}${text}${CRLF}`;
const GOOD = post(["host: x", TYPE, LENGTH], BODY);
const CHUNKED = ["host: x", TYPE, "transfer-encoding: chunked"];

const OK: ConformanceAnswer = { status: 200, headers: ORIGIN, body: null };
const BAD = refusalAnswer(UNREADABLE);

const wireCase = (
  name: string,
  text: string,
  answers: readonly ConformanceAnswer[],
  closesItsSide = false,
): WireCase => ({
  name,
  bytes: Buffer.from(text, "latin1"),
  closesItsSide,
  answers,
  rows: answers.filter(({ status }) => status === 200).length,
});
const takes = (name: string, text: string) => wireCase(`accepts ${name}`, text, [OK]);
const refuses = (name: string, text: string) => wireCase(`refuses ${name}`, text, [BAD]);
const refusesWhatEnds = (name: string, text: string) =>
  wireCase(`refuses ${name}`, text, [BAD], true);

/** Every case; each stands alone. The answer closes the connection, unless the next request can be told from this one. */
export const WIRE_CASES: readonly WireCase[] = [
  takes(
    "a body in chunks",
    post(CHUNKED, `${chunk(BODY.slice(0, 9))}${chunk(BODY.slice(9))}0\r\n\r\n`),
  ),
  takes(
    "chunk extensions and trailers",
    post(CHUNKED, `${BODY.length.toString(16)};a=b\r\n${BODY}\r\n0\r\nx: y\r\n\r\n`),
  ),
  takes("a request without a host", post([TYPE, LENGTH], BODY)),
  takes("HTTP/1.0", post([TYPE, LENGTH], BODY, "HTTP/1.0")),
  takes("the same host twice", post(["host: a", "host: b", TYPE, LENGTH], BODY)),
  takes(
    "header names in any case",
    post(["HOST: x", TYPE.toUpperCase(), LENGTH.toUpperCase()], BODY),
  ),
  takes("an empty line before the request", `${CRLF}${GOOD}`),
  takes(
    "Expect: 100-continue with the body at once",
    post(["host: x", TYPE, LENGTH, "expect: 100-continue"], BODY),
  ),
  takes("an Expect that means nothing", post(["host: x", TYPE, LENGTH, "expect: tea"], BODY)),
  wireCase("answers requests in a row in their order", `${GOOD}${GOOD}${GOOD}`, [OK, OK, OK]),
  wireCase("answers a client that has closed its side already", GOOD, [OK], true),
  wireCase(
    "answers good requests before what cannot be read",
    `${GOOD}${GOOD}garbage${CRLF}${CRLF}`,
    [OK, OK, BAD],
  ),
  wireCase("answers bytes after a body as a request of its own", `${GOOD}x${CRLF}${CRLF}`, [
    OK,
    BAD,
  ]),
  refuses("no body and no length", post(["host: x", TYPE], "")),
  refuses("a length that is no number", post(["host: x", TYPE, "content-length: many"], BODY)),
  refuses("a negative length", post(["host: x", TYPE, "content-length: -5"], BODY)),
  refuses(
    "a length beyond every number",
    post(["host: x", TYPE, `content-length: ${"9".repeat(40)}`], BODY),
  ),
  refuses("a hexadecimal length", post(["host: x", TYPE, "content-length: 0x10"], BODY)),
  refuses("two lengths that differ", post(["host: x", TYPE, LENGTH, "content-length: 1"], BODY)),
  refuses("the same length twice", post(["host: x", TYPE, LENGTH, LENGTH], BODY)),
  refuses("a list of lengths", post(["host: x", TYPE, `${LENGTH}, ${BODY.length}`], BODY)),
  refuses("a length and chunks", post([...CHUNKED, LENGTH], `${chunk(BODY)}0\r\n\r\n`)),
  refuses(
    "a transfer coding that it does not know",
    post(["host: x", TYPE, "transfer-encoding: zip"], BODY),
  ),
  refuses(
    "chunks that are not the last coding",
    post(["host: x", TYPE, "transfer-encoding: chunked, gzip"], BODY),
  ),
  refuses("a chunk's size that is no number", post(CHUNKED, `zz${CRLF}${BODY}${CRLF}0\r\n\r\n`)),
  refuses("a chunk's size beyond every number", post(CHUNKED, `${"f".repeat(20)}${CRLF}${BODY}`)),
  refuses("a chunk that is longer than its size", post(CHUNKED, `5${CRLF}${BODY}${CRLF}0\r\n\r\n`)),
  refuses("a blank in a header's name", post(["host: x", TYPE, LENGTH, "x y: z"], BODY)),
  refuses("a header without a colon", post(["host: x", TYPE, LENGTH, "xyz"], BODY)),
  refuses("NUL in a header", post(["host: x", TYPE, LENGTH, "x: \0"], BODY)),
  refuses(
    "a head that is too large",
    post(["host: x", TYPE, LENGTH, `x: ${"y".repeat(20_000)}`], BODY),
  ),
  refuses(
    "headers that are too many",
    post(["host: x", TYPE, LENGTH, ...Array.from({ length: 9_000 }, () => "a: b")], BODY),
  ),
  refuses("a path that is too long", GOOD.replace("/events", `/events?${"q".repeat(20_000)}`)),
  refuses("an unknown version", post(["host: x", TYPE, LENGTH], BODY, "HTTP/9.9")),
  wireCase("refuses HTTP/0.9", `POST ${CONFORMANCE_PATH}${CRLF}${CRLF}`, [
    refusalAnswer(CONTENT_TYPE),
  ]),
  wireCase("answers good requests before CONNECT", `${GOOD}CONNECT x:1 HTTP/1.1${CRLF}${CRLF}`, [
    OK,
    BAD,
  ]),
  refuses("HTTP/2", `PRI * HTTP/2.0${CRLF}${CRLF}SM${CRLF}${CRLF}`),
  refuses("an unknown method", `BREW ${CONFORMANCE_PATH} HTTP/1.1${CRLF}host: x${CRLF}${CRLF}`),
  refuses("CONNECT", `CONNECT x:443 HTTP/1.1${CRLF}host: x${CRLF}${CRLF}`),
  refuses("TLS on a port without it", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
  refuses("garbage", `one two three${CRLF}${CRLF}`),
  refusesWhatEnds(
    "a body that ends before its length",
    post(["host: x", TYPE, "content-length: 900"], BODY),
  ),
  refusesWhatEnds("chunks that end too early", post(CHUNKED, chunk(BODY))),
  refusesWhatEnds("a head that ends too early", post(["host: x", TYPE], "").slice(0, -4)),
];
