import { deflateSync, gzipSync } from "node:zlib";
import {
  CONFORMANCE_INSTANCE_ID,
  CONTENT_TYPE,
  type ConformanceCase,
  encoded,
  instancePath,
  invalid,
  missing,
  NO_INSTANCE,
  NOT_AN_INSTANCE,
  refuses,
  UNREADABLE,
  VALID,
  VALID_BYTES,
} from "./conformance-case.js";

const EVENT = invalid("event must be delivery or open.");
const TIME = invalid("timestampSecs must be a number from 0 to 4294967295.");

const TOO_LONG = invalid("publishId must have at most 256 UTF-16 units.");

/** 50,000,000 spaces each, compressed. Making them takes a second, and every test file would do it that loads this module. */
export const BROTLI_BOMB = Buffer.from(
  "y///P/glQOKxQCD3/o///3/wSwDEYRGA7v0f////4JcAiMMCAN37P/7//8EvARCHBQC693/8//+DXwIgDgsAdO//8g9eD78EQBwWAOig6wE=",
  "base64",
);
export const DOUBLE_GZIP_BOMB = Buffer.from(
  [
    "H4sIAAAAAAAAA+3cMU4CURQF0BEoBBPFglBYQEFjZQsFiTZWklBATVwAa3AMsbJmCRQsgAXQsQOlYwEWxBgLoxkyswKbyST8c5r3y1vf/NzW62mUKX+sn9Mb",
    "t+d/181lLQIAAACOXLydlU/SRzt5ux+OAQAAgGP3eHFeyUqB38nVXdFhAAAAgNy99Lv17IfA59O0UnQYAAAAIHeN791t1gVsktXlqOg0AAAAQO7eDQYAAABA",
    "UAwGAAAAQFgMBgAAAEBYDAYAAABAYAwGAAAAQFgMBgAAAEBYFv1uJ+0C6l/J6uYhAgAA4P/2Z4PetBrvf0oHuerkGe+9AAAA",
  ].join(""),
  "base64",
);

/** Each refusal, by each way to it. */
export const REFUSED_CASES: readonly ConformanceCase[] = [
  refuses("Content type", "a body without a content type", CONTENT_TYPE, { headers: {} }),
  refuses("Content type", "text/plain", CONTENT_TYPE, {
    headers: { "content-type": "text/plain" },
  }),
  refuses("Content type", "application/jsonp", CONTENT_TYPE, {
    headers: { "content-type": "application/jsonp" },
  }),
  refuses("Content type", "an empty content type", CONTENT_TYPE, {
    headers: { "content-type": "" },
  }),
  refuses("Content type", "a form", CONTENT_TYPE, {
    headers: { "content-type": "application/x-www-form-urlencoded" },
  }),
  refuses("Content type", "a suffix that means JSON", CONTENT_TYPE, {
    headers: { "content-type": "application/vnd.api+json" },
  }),
  refuses("Content type", "two types in one", CONTENT_TYPE, {
    headers: { "content-type": "application/json, text/plain" },
  }),
  refuses("Instance id", "a path without an instance", NO_INSTANCE, {
    path: "/reporting_api/v2/instances/events",
  }),
  refuses("Instance id", "a path with an empty instance", NO_INSTANCE, {
    path: "/reporting_api/v2/instances//events",
  }),
  refuses(
    "Instance id",
    "a path without an instance, with a query and a trailing slash",
    NO_INSTANCE,
    {
      path: "/reporting_api/v2/instances/events/?a=b",
    },
  ),
  refuses("Instance id", "an instance that is no UUID", NOT_AN_INSTANCE, {
    path: instancePath("my-instance"),
  }),
  refuses("Instance id", "a UUID in braces", NOT_AN_INSTANCE, {
    path: instancePath(`%7B${CONFORMANCE_INSTANCE_ID}%7D`),
  }),
  refuses("Instance id", "an instance whose encoding is broken", NOT_AN_INSTANCE, {
    path: instancePath("%E0%A4%A"),
  }),
  refuses("Instance id", "an encoded slash", NOT_AN_INSTANCE, { path: instancePath("a%2Fb") }),
  refuses("Instance id", "the UUID that stands for none", NOT_AN_INSTANCE, {
    path: instancePath("00000000-0000-0000-0000-000000000000"),
  }),
  refuses("Instance id", "a UUID without dashes", NOT_AN_INSTANCE, {
    path: instancePath(CONFORMANCE_INSTANCE_ID.replaceAll("-", "")),
  }),
  refuses("Instance id", "a blank", NOT_AN_INSTANCE, { path: instancePath("%20") }),
  refuses("Instance id", "a UUID with a line break after it", NOT_AN_INSTANCE, {
    path: instancePath(`${CONFORMANCE_INSTANCE_ID}%0A`),
  }),
  refuses("Instance id", "parts of a path", NOT_AN_INSTANCE, { path: instancePath("..") }),
  refuses("Body", "no body", UNREADABLE, { body: null }),
  refuses("Body", "an empty body", UNREADABLE, { body: "" }),
  refuses("Body", "half an object", UNREADABLE, { body: '{"event":"open"' }),
  refuses("Body", "an array", UNREADABLE, { body: "[]" }),
  refuses("Body", "null", UNREADABLE, { body: "null" }),
  refuses("Body", "a string", UNREADABLE, { body: '"report"' }),
  refuses("Body", "a number", UNREADABLE, { body: "1" }),
  refuses("Body", "two objects", UNREADABLE, { body: Buffer.concat([VALID_BYTES, VALID_BYTES]) }),
  refuses("Body", "a form", UNREADABLE, { body: "event=open&publishId=p" }),
  refuses("Body", "a comment", UNREADABLE, { body: `/**/${JSON.stringify(VALID)}` }),
  refuses("Body", "a byte order mark", UNREADABLE, { body: `\ufeff${JSON.stringify(VALID)}` }),
  refuses("Body", "UTF-16", UNREADABLE, { body: Buffer.from(JSON.stringify(VALID), "utf16le") }),
  refuses("Body", "a surrogate in UTF-8", UNREADABLE, {
    body: Buffer.concat([
      VALID_BYTES.subarray(0, -1),
      Buffer.from(',"x":"\xed\xa0\x80"}', "latin1"),
    ]),
  }),
  refuses("Body", "NaN as a time", UNREADABLE, {
    body: JSON.stringify(VALID).replace("1700000000", "NaN"),
  }),
  refuses("Body", "deep nesting of nothing", UNREADABLE, { body: "[".repeat(16_000) }),
  refuses("Body", "bytes that are not UTF-8", UNREADABLE, {
    body: Buffer.concat([VALID_BYTES.subarray(0, -1), Buffer.from(',"x":"\xff"}', "latin1")]),
  }),
  refuses("Body", "more than 16 KiB", UNREADABLE, {
    body: { ...VALID, pad: "x".repeat(16_384) },
  }),
  refuses("Body", "more than a megabyte", UNREADABLE, { body: "x".repeat(1_100_000) }),
  refuses("Body", "gzip that is none", UNREADABLE, encoded("gzip", VALID_BYTES)),
  refuses("Body", "a coding that it does not know", UNREADABLE, encoded("compress", VALID_BYTES)),
  refuses("Body", "gzip that ends too early", UNREADABLE, {
    ...encoded("gzip", gzipSync(VALID_BYTES).subarray(0, 60)),
  }),
  refuses("Body", "an empty body in gzip", UNREADABLE, encoded("gzip", Buffer.alloc(0))),
  refuses("Body", "a compression bomb in br", UNREADABLE, {
    ...encoded("br", BROTLI_BOMB),
  }),
  refuses("Body", "a compression bomb in deflate", UNREADABLE, {
    ...encoded("deflate", deflateSync(Buffer.alloc(4_000_000, " "))),
  }),
  refuses("Body", "a compression bomb within another", UNREADABLE, {
    ...encoded("gzip, gzip", DOUBLE_GZIP_BOMB),
  }),
  refuses("Body", "more codings than anybody applies", UNREADABLE, {
    ...encoded("gzip, gzip, gzip", gzipSync(gzipSync(gzipSync(VALID_BYTES)))),
  }),
  refuses(
    "Body",
    "a compression bomb",
    UNREADABLE,
    encoded(
      "gzip",
      gzipSync(Buffer.from(JSON.stringify({ ...VALID, pad: " ".repeat(4_000_000) }))),
    ),
  ),
  ...["event", "publishId", "deviceId", "timestampSecs"].flatMap((key) => [
    refuses("Missing fields", `a report without ${key}`, missing(key), {
      body: { ...VALID, [key]: undefined },
    }),
    refuses("Missing fields", `null for ${key}`, missing(key), {
      body: { ...VALID, [key]: null },
    }),
    refuses("Missing fields", `an empty string for ${key}`, missing(key), {
      body: { ...VALID, [key]: "" },
    }),
  ]),
  refuses(
    "Missing fields",
    "a __proto__ key that has what the report lacks",
    missing("publishId"),
    { body: `{"__proto__":{"publishId":"p"},"event":"open","deviceId":"d","timestampSecs":1}` },
  ),
  refuses("Missing fields", "an object without anything", missing("event"), { body: "{}" }),
  refuses("Invalid fields", "an event with blanks around it", EVENT, {
    body: { ...VALID, event: " open " },
  }),
  refuses("Invalid fields", "an event that every object has", EVENT, {
    body: { ...VALID, event: "constructor" },
  }),
  refuses("Invalid fields", "an object as event", EVENT, {
    body: { ...VALID, event: { toString: "open" } },
  }),
  refuses("Invalid fields", "true as a time", TIME, { body: { ...VALID, timestampSecs: true } }),
  refuses("Invalid fields", "a list as a time", TIME, { body: { ...VALID, timestampSecs: [1] } }),
  refuses("Invalid fields", "a time just below 0", TIME, {
    body: { ...VALID, timestampSecs: -0.1 },
  }),
  refuses("Invalid fields", "a time just above 4294967295", TIME, {
    body: { ...VALID, timestampSecs: 4_294_967_295.5 },
  }),
  refuses("Invalid fields", "a time in milliseconds", TIME, {
    body: { ...VALID, timestampSecs: 1_700_000_000_000 },
  }),
  refuses("Invalid fields", "an id of 129 characters outside the basic plane", TOO_LONG, {
    body: { ...VALID, publishId: "😀".repeat(129) },
  }),
  refuses("Invalid fields", "a list as userId on an open", invalid("userId must be a string."), {
    body: { ...VALID, event: "open", userId: ["u"] },
  }),
  refuses("Invalid fields", "an unknown event", EVENT, {
    body: { ...VALID, event: "click" },
  }),
  refuses("Invalid fields", "an event that is no string", EVENT, {
    body: { ...VALID, event: 1 },
  }),
  refuses("Invalid fields", "a time as a string", TIME, {
    body: { ...VALID, timestampSecs: "1" },
  }),
  refuses("Invalid fields", "a time below 0", TIME, {
    body: { ...VALID, timestampSecs: -1 },
  }),
  refuses("Invalid fields", "a time above 4294967295", TIME, {
    body: { ...VALID, timestampSecs: 4_294_967_296 },
  }),
  refuses("Invalid fields", "a time beyond every number", TIME, {
    body: JSON.stringify(VALID).replace("1700000000", "1e999"),
  }),
  ...(["publishId", "deviceId"] as const).flatMap((key) => [
    refuses("Invalid fields", `a number for ${key}`, invalid(`${key} must be a string.`), {
      body: { ...VALID, [key]: 12 },
    }),
    refuses(
      "Invalid fields",
      `a ${key} that is too long`,
      invalid(`${key} must have at most 256 UTF-16 units.`),
      { body: { ...VALID, [key]: "x".repeat(257) } },
    ),
  ]),
  refuses("Invalid fields", "a number for userId", invalid("userId must be a string."), {
    body: { ...VALID, userId: 12 },
  }),
  refuses(
    "Invalid fields",
    "a userId that is too long",
    invalid("userId must have at most 512 UTF-16 units."),
    { body: { ...VALID, userId: "x".repeat(513) } },
  ),
  ...["appInBackground", "hasDisplayableContent", "hasData"].map((key) =>
    refuses(
      "Invalid fields",
      `a string for ${key} on a delivery`,
      invalid(`${key} must be true or false.`),
      { body: { ...VALID, [key]: "true" } },
    ),
  ),
];
