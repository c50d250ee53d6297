import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import {
  accepts,
  CONFORMANCE_INSTANCE_ID,
  CONFORMANCE_PATH,
  type ConformanceCase,
  encoded,
  instancePath,
  JSON_TYPE,
  VALID,
  VALID_BYTES,
} from "./conformance-case.js";

/** What no SDK sends, or not any more, and is accepted all the same. */
export const ACCEPTED_CASES: readonly ConformanceCase[] = [
  accepts("Accepted all the same", "any case of the event", {
    body: { ...VALID, event: "dELIVERY" },
  }),
  accepts("Accepted all the same", "null for every optional key", {
    body: {
      ...VALID,
      userId: null,
      appInBackground: null,
      hasDisplayableContent: null,
      hasData: null,
    },
  }),
  accepts("Accepted all the same", "an empty user as none", { body: { ...VALID, userId: "" } }),
  accepts("Accepted all the same", "keys that it does not know", {
    body: { ...VALID, instanceId: 7, extra: { deep: [[[{}]]] } },
  }),
  accepts(
    "Accepted all the same",
    "flags of a wrong type on an open, as absent",
    {
      body: {
        ...VALID,
        event: "open",
        appInBackground: "yes",
        hasDisplayableContent: 1,
        hasData: {},
      },
    },
    { event: "open" },
  ),
  accepts(
    "Accepted all the same",
    "a time as 1e9",
    { body: JSON.stringify(VALID).replace("1700000000", "1e9") },
    { occurred_at: 1_000_000_000 },
  ),
  accepts(
    "Accepted all the same",
    "a time as 1.0",
    { body: JSON.stringify(VALID).replace("1700000000", "1.0") },
    { occurred_at: 1 },
  ),
  accepts(
    "Accepted all the same",
    "time 0",
    { body: { ...VALID, timestampSecs: 0 } },
    { occurred_at: 0 },
  ),
  accepts(
    "Accepted all the same",
    "the greatest time",
    { body: { ...VALID, timestampSecs: 4_294_967_295 } },
    { occurred_at: 4_294_967_295 },
  ),
  accepts(
    "Accepted all the same",
    "ids of 256 and a user of 512 UTF-16 units",
    {
      body: {
        ...VALID,
        publishId: "😀".repeat(128),
        deviceId: "d".repeat(256),
        userId: "ü".repeat(512),
      },
    },
    { publish_id: "😀".repeat(128), device_id: "d".repeat(256), user_id: "ü".repeat(512) },
  ),
  accepts(
    "Accepted all the same",
    "strings with quotes, line breaks, NUL and half a surrogate pair, which is replaced",
    {
      body: `{"event":"open","publishId":"\\"\\n\\u0000","deviceId":"\\ud83d!","timestampSecs":5}`,
    },
    { event: "open", publish_id: '"\n\0', device_id: "\ufffd!", occurred_at: 5 },
  ),
  accepts("Accepted all the same", "a repeated key, whose last value counts", {
    body: `{"event":"open",${JSON.stringify(VALID).slice(1)}`,
  }),
  accepts("Accepted all the same", "a __proto__ key as any unknown one", {
    body: `{"__proto__":{"event":"open","userId":"u"},${JSON.stringify(VALID).slice(1)}`,
  }),
  accepts(
    "Accepted all the same",
    "a time with a fraction, which is cut off",
    { body: { ...VALID, timestampSecs: 1.7 } },
    { occurred_at: 1 },
  ),
  accepts(
    "Accepted all the same",
    "minus zero as time 0",
    { body: JSON.stringify(VALID).replace("1700000000", "-0.0") },
    { occurred_at: 0 },
  ),
  accepts("Accepted all the same", "deep nesting under a key that it does not know", {
    body: `{"x":${"[".repeat(7_000)}${"]".repeat(7_000)},${JSON.stringify(VALID).slice(1)}`,
  }),
  accepts("Accepted all the same", "keys that every object has by itself", {
    body: { ...VALID, constructor: 1, toString: "x", hasOwnProperty: null },
  }),
  accepts("Accepted all the same", "white space around the object", {
    body: ` \t\r\n${JSON.stringify(VALID, null, 2)}\n`,
  }),
  accepts(
    "Accepted all the same",
    "escaped keys and values",
    {
      body: JSON.stringify(VALID)
        .replace("event", "\\u0065vent")
        .replace(VALID.deviceId, "\\u0064\\/1"),
    },
    { device_id: "d/1" },
  ),
  accepts(
    "Accepted all the same",
    "ids of white space, which are opaque",
    { body: { ...VALID, publishId: " ", deviceId: "\t" } },
    { publish_id: " ", device_id: "\t" },
  ),
  accepts("Accepted all the same", "a body of exactly 16 KiB", {
    body: JSON.stringify({ ...VALID, pad: "" }).replace(
      '""',
      `"${"x".repeat(16_384 - JSON.stringify({ ...VALID, pad: "" }).length)}"`,
    ),
  }),
  accepts("Accepted all the same", "another charset in the content type, since JSON is UTF-8", {
    headers: { "content-type": "application/json;charset=iso-8859-1" },
  }),
  accepts("Accepted all the same", "a body in gzip twice", {
    ...encoded("gzip, x-gzip", gzipSync(gzipSync(VALID_BYTES))),
  }),
  accepts("Accepted all the same", "a path in other case", {
    path: CONFORMANCE_PATH.toUpperCase(),
  }),
  accepts("Accepted all the same", "a request to a proxy, with the whole URL", {
    path: `http://${CONFORMANCE_INSTANCE_ID}.pushnotifications.example.com${CONFORMANCE_PATH}`,
  }),
  accepts("Accepted all the same", "a whole URL whose host is none", {
    path: `http://[::1${CONFORMANCE_PATH}`,
  }),
  accepts("Accepted all the same", "a whole URL whose port is none", {
    path: `HTTP://user:@x:http${CONFORMANCE_PATH}?a=%zz`,
  }),
  accepts("Accepted all the same", "a fragment", { path: `${CONFORMANCE_PATH}#%zz` }),
  accepts("Accepted all the same", "headers of proxies", {
    headers: {
      ...JSON_TYPE,
      "x-forwarded-for": "203.0.113.7, not an address",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "a, b",
      forwarded: 'for=unknown;proto="',
      via: "1.1 proxy",
    },
  }),
  accepts("Accepted all the same", "cookies and credentials, which it ignores", {
    headers: { ...JSON_TYPE, cookie: "a=b", authorization: "Bearer x" },
  }),
  accepts("Accepted all the same", "an upgrade that it does not know", {
    headers: { ...JSON_TYPE, connection: "upgrade", upgrade: "websocket" },
  }),
  accepts("Accepted all the same", "an instance id in upper case, stored in lower case", {
    path: instancePath(CONFORMANCE_INSTANCE_ID.toUpperCase()),
  }),
  accepts("Accepted all the same", "a trailing slash", { path: `${CONFORMANCE_PATH}/` }),
  accepts("Accepted all the same", "a query string", { path: `${CONFORMANCE_PATH}?a=%zz&b` }),
  accepts("Accepted all the same", "a percent-encoded path", {
    path: CONFORMANCE_PATH.replace("_", "%5F").replace("426a", "%34%32%36%61"),
  }),
  accepts("Accepted all the same", "parameters of the content type", {
    headers: { "content-type": "Application/JSON ; charset=utf-8" },
  }),
  accepts("Accepted all the same", "a body in gzip", encoded("gzip", gzipSync(VALID_BYTES))),
  accepts("Accepted all the same", "a body in br", encoded("br", brotliCompressSync(VALID_BYTES))),
  accepts(
    "Accepted all the same",
    "a body in deflate",
    encoded("deflate", deflateSync(VALID_BYTES)),
  ),
  accepts(
    "Accepted all the same",
    "a body in bare deflate",
    encoded("deflate", deflateRawSync(VALID_BYTES)),
  ),
  accepts("Accepted all the same", "an Expect that means nothing", {
    headers: { ...JSON_TYPE, expect: "a-miracle" },
  }),
  accepts("Accepted all the same", "Expect: 100-continue", {
    headers: { ...JSON_TYPE, expect: "100-continue" },
  }),
  accepts(
    "Accepted all the same",
    "a library header of any kind, sanitised",
    { headers: { ...JSON_TYPE, "x-pusher-library": `  push \t\u00e9 ${"x".repeat(80)}` } },
    { client_library: `push ${"x".repeat(59)}` },
  ),
];
