import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from "node:zlib";

/** The published API as data: what is sent to the reporting path, and what must come back. */
export interface ConformanceCase {
  /** A sentence that completes "the gateway …". */
  readonly name: string;
  readonly topic: ConformanceTopic;
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
    /** Null sends none. */
    readonly body: Buffer | null;
  };
  readonly answer: {
    readonly status: number;
    /** Lower-case names; other headers may come too. */
    readonly headers: Readonly<Record<string, string>>;
    /** The parsed JSON, or null for an empty body. */
    readonly body: Readonly<Record<string, string>> | null;
  };
  /** Columns of the row that an accepted report becomes; other columns may hold anything. */
  readonly row: Readonly<Record<string, string | number | boolean | null>> | null;
}

/** Chapters of the table. */
export type ConformanceTopic =
  | "What the SDKs send"
  | "Accepted all the same"
  | "Content type"
  | "Instance id"
  | "Body"
  | "Missing fields"
  | "Invalid fields"
  | "Order of the checks"
  | "Preflight";

/** The instance of every case that is not about instances. */
export const CONFORMANCE_INSTANCE_ID = "426abfc7-41fe-492f-bcf1-27586fa9bd3f";
/** The path of every case that is not about paths. */
export const CONFORMANCE_PATH = `/reporting_api/v2/instances/${CONFORMANCE_INSTANCE_ID}/events`;

const ORIGIN = { "access-control-allow-origin": "*" } as const;
const JSON_TYPE = { "content-type": "application/json" } as const;

const VALID = {
  event: "delivery",
  publishId: "pubid-7a1c8a6e-0c05-4f1e-8f0b-6f1f5f7f0b11",
  deviceId: "web-1f0c4b2a-4b0e-4a7c-9a52-5d5d4a0b6c11",
  timestampSecs: 1_700_000_000,
} as const;

const VALID_ROW = {
  instance_id: CONFORMANCE_INSTANCE_ID,
  event: "delivery",
  publish_id: VALID.publishId,
  device_id: VALID.deviceId,
  occurred_at: 1_700_000_000,
  user_id: null,
  app_in_background: null,
  has_displayable_content: null,
  has_data: null,
  client_library: "",
} as const;

type Row = NonNullable<ConformanceCase["row"]>;

interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Readonly<Record<string, unknown>> | string | Buffer | null;
}

const requestOf = (sent: Sent): ConformanceCase["request"] => ({
  method: sent.method ?? "POST",
  path: sent.path ?? CONFORMANCE_PATH,
  headers: sent.headers ?? JSON_TYPE,
  body: bytesOf(sent.body === undefined ? VALID : sent.body),
});

function bytesOf(body: Readonly<Record<string, unknown>> | string | Buffer | null): Buffer | null {
  if (body === null || Buffer.isBuffer(body)) return body;
  return Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
}

const accepts = (
  topic: ConformanceTopic,
  name: string,
  sent: Sent,
  row: Row = {},
): ConformanceCase => ({
  name: `accepts ${name}`,
  topic,
  request: requestOf(sent),
  answer: { status: 200, headers: ORIGIN, body: null },
  row: { ...VALID_ROW, ...row },
});

const refuses = (
  topic: ConformanceTopic,
  name: string,
  error: string,
  description: string,
  sent: Sent,
): ConformanceCase => ({
  name: `refuses ${name}`,
  topic,
  request: requestOf(sent),
  answer: { status: 400, headers: { ...ORIGIN, ...JSON_TYPE }, body: { error, description } },
  row: null,
});

const CONTENT_TYPE_FAULT = ["Invalid content type", "Only application/json is supported."] as const;
const NO_INSTANCE_FAULT = [
  "Incomplete Request",
  "instance-id param is missing from path.",
] as const;
const INSTANCE_FAULT = [
  "Bad request",
  "The instance id given is invalid. It is expected to be in this format: 426abfc7-41fe-492f-bcf1-27586fa9bd3f .",
] as const;
const BODY_FAULT = ["Bad request", "Failed to read body as a JSON object."] as const;
const missingFault = (key: string) => ["Bad request", `${key} is missing from body.`] as const;
const EVENT_FAULT = ["Bad request", "event must be delivery or open."] as const;
const TIME_FAULT = ["Bad request", "timestampSecs must be a number from 0 to 4294967295."] as const;

const instancePath = (id: string) => `/reporting_api/v2/instances/${id}/events`;
const encoded = (coding: string, body: Buffer): Sent => ({
  headers: { ...JSON_TYPE, "content-encoding": coding },
  body,
});
const VALID_BYTES = Buffer.from(JSON.stringify(VALID));

const SDK_CASES: readonly ConformanceCase[] = [
  accepts(
    "What the SDKs send",
    "a delivery from Android",
    {
      headers: {
        "content-type": "application/json; charset=UTF-8",
        "x-pusher-library": "push-notifications-android 1.10.0",
        "user-agent": "okhttp/3.10.0",
      },
      body: {
        event: "Delivery",
        instanceId: CONFORMANCE_INSTANCE_ID,
        deviceId: "8d4a02c1-9c80-41ba-8d9e-9b7c4b0b7d1a",
        userId: "user-1",
        publishId: VALID.publishId,
        timestampSecs: 1_700_000_000,
        appInBackground: true,
        hasDisplayableContent: true,
        hasData: false,
      },
    },
    {
      device_id: "8d4a02c1-9c80-41ba-8d9e-9b7c4b0b7d1a",
      user_id: "user-1",
      app_in_background: true,
      has_displayable_content: true,
      has_data: false,
      client_library: "push-notifications-android 1.10.0",
    },
  ),
  accepts(
    "What the SDKs send",
    "an open from iOS, which has no user",
    {
      headers: { ...JSON_TYPE, "x-pusher-library": "push-notifications-swift 4.0.1" },
      body: {
        event: "Open",
        instanceId: CONFORMANCE_INSTANCE_ID,
        deviceId: "apns-0b0b2b1c-8d9e-4c80-91ba-9b7c4b0b7d1a",
        publishId: VALID.publishId,
        timestampSecs: 1_700_000_009,
      },
    },
    {
      event: "open",
      device_id: "apns-0b0b2b1c-8d9e-4c80-91ba-9b7c4b0b7d1a",
      occurred_at: 1_700_000_009,
      client_library: "push-notifications-swift 4.0.1",
    },
  ),
  accepts(
    "What the SDKs send",
    "an open from the web, whose user is null and which keeps its flags",
    {
      headers: { ...JSON_TYPE, origin: "https://shop.example" },
      body: {
        ...VALID,
        event: "open",
        userId: null,
        appInBackground: false,
        hasDisplayableContent: true,
        hasData: true,
      },
    },
    { event: "open", app_in_background: false, has_displayable_content: true, has_data: true },
  ),
  accepts(
    "What the SDKs send",
    "a delivery of an old web worker, whose time has a fraction",
    { body: { ...VALID, timestampSecs: 1_593_561_600.731, userId: null, appInBackground: true } },
    { occurred_at: 1_593_561_600, app_in_background: true },
  ),
  refuses(
    "What the SDKs send",
    "a report of a browser that is not registered, whose device is null",
    ...missingFault("deviceId"),
    { body: { ...VALID, deviceId: null, userId: null } },
  ),
];

const LENIENT_CASES: readonly ConformanceCase[] = [
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

const REFUSED_CASES: readonly ConformanceCase[] = [
  refuses("Content type", "a body without a content type", ...CONTENT_TYPE_FAULT, { headers: {} }),
  refuses("Content type", "text/plain", ...CONTENT_TYPE_FAULT, {
    headers: { "content-type": "text/plain" },
  }),
  refuses("Content type", "application/jsonp", ...CONTENT_TYPE_FAULT, {
    headers: { "content-type": "application/jsonp" },
  }),
  refuses("Instance id", "a path without an instance", ...NO_INSTANCE_FAULT, {
    path: "/reporting_api/v2/instances/events",
  }),
  refuses("Instance id", "a path with an empty instance", ...NO_INSTANCE_FAULT, {
    path: "/reporting_api/v2/instances//events",
  }),
  refuses("Instance id", "an instance that is no UUID", ...INSTANCE_FAULT, {
    path: instancePath("my-instance"),
  }),
  refuses("Instance id", "a UUID in braces", ...INSTANCE_FAULT, {
    path: instancePath(`%7B${CONFORMANCE_INSTANCE_ID}%7D`),
  }),
  refuses("Instance id", "an instance whose encoding is broken", ...INSTANCE_FAULT, {
    path: instancePath("%E0%A4%A"),
  }),
  refuses("Instance id", "an encoded slash", ...INSTANCE_FAULT, { path: instancePath("a%2Fb") }),
  refuses("Body", "no body", ...BODY_FAULT, { body: null }),
  refuses("Body", "an empty body", ...BODY_FAULT, { body: "" }),
  refuses("Body", "half an object", ...BODY_FAULT, { body: '{"event":"open"' }),
  refuses("Body", "an array", ...BODY_FAULT, { body: "[]" }),
  refuses("Body", "null", ...BODY_FAULT, { body: "null" }),
  refuses("Body", "a string", ...BODY_FAULT, { body: '"report"' }),
  refuses("Body", "deep nesting of nothing", ...BODY_FAULT, { body: "[".repeat(16_000) }),
  refuses("Body", "bytes that are not UTF-8", ...BODY_FAULT, {
    body: Buffer.concat([VALID_BYTES.subarray(0, -1), Buffer.from(',"x":"\xff"}', "latin1")]),
  }),
  refuses("Body", "more than 16 KiB", ...BODY_FAULT, {
    body: { ...VALID, pad: "x".repeat(16_384) },
  }),
  refuses("Body", "more than a megabyte", ...BODY_FAULT, { body: "x".repeat(1_100_000) }),
  refuses("Body", "gzip that is none", ...BODY_FAULT, encoded("gzip", VALID_BYTES)),
  refuses(
    "Body",
    "a coding that it does not know",
    ...BODY_FAULT,
    encoded("compress", VALID_BYTES),
  ),
  refuses(
    "Body",
    "a compression bomb",
    ...BODY_FAULT,
    encoded(
      "gzip",
      gzipSync(Buffer.from(JSON.stringify({ ...VALID, pad: " ".repeat(4_000_000) }))),
    ),
  ),
  ...["event", "publishId", "deviceId", "timestampSecs"].flatMap((key) => [
    refuses("Missing fields", `a report without ${key}`, ...missingFault(key), {
      body: { ...VALID, [key]: undefined },
    }),
    refuses("Missing fields", `null for ${key}`, ...missingFault(key), {
      body: { ...VALID, [key]: null },
    }),
    refuses("Missing fields", `an empty string for ${key}`, ...missingFault(key), {
      body: { ...VALID, [key]: "" },
    }),
  ]),
  refuses("Invalid fields", "an unknown event", ...EVENT_FAULT, {
    body: { ...VALID, event: "click" },
  }),
  refuses("Invalid fields", "an event that is no string", ...EVENT_FAULT, {
    body: { ...VALID, event: 1 },
  }),
  refuses("Invalid fields", "a time as a string", ...TIME_FAULT, {
    body: { ...VALID, timestampSecs: "1" },
  }),
  refuses("Invalid fields", "a time below 0", ...TIME_FAULT, {
    body: { ...VALID, timestampSecs: -1 },
  }),
  refuses("Invalid fields", "a time above 4294967295", ...TIME_FAULT, {
    body: { ...VALID, timestampSecs: 4_294_967_296 },
  }),
  refuses("Invalid fields", "a time beyond every number", ...TIME_FAULT, {
    body: JSON.stringify(VALID).replace("1700000000", "1e999"),
  }),
  ...(["publishId", "deviceId"] as const).flatMap((key) => [
    refuses("Invalid fields", `a number for ${key}`, "Bad request", `${key} must be a string.`, {
      body: { ...VALID, [key]: 12 },
    }),
    refuses(
      "Invalid fields",
      `a ${key} that is too long`,
      "Bad request",
      `${key} must have at most 256 UTF-16 units.`,
      { body: { ...VALID, [key]: "x".repeat(257) } },
    ),
  ]),
  refuses("Invalid fields", "a number for userId", "Bad request", "userId must be a string.", {
    body: { ...VALID, userId: 12 },
  }),
  refuses(
    "Invalid fields",
    "a userId that is too long",
    "Bad request",
    "userId must have at most 512 UTF-16 units.",
    { body: { ...VALID, userId: "x".repeat(513) } },
  ),
  ...["appInBackground", "hasDisplayableContent", "hasData"].map((key) =>
    refuses(
      "Invalid fields",
      `a string for ${key} on a delivery`,
      "Bad request",
      `${key} must be true or false.`,
      { body: { ...VALID, [key]: "true" } },
    ),
  ),
];

const ORDER_CASES: readonly ConformanceCase[] = [
  refuses("Order of the checks", "a wrong content type before all else", ...CONTENT_TYPE_FAULT, {
    path: "/reporting_api/v2/instances/events",
    headers: { "content-type": "text/plain" },
    body: "{",
  }),
  refuses("Order of the checks", "a missing instance before the body", ...NO_INSTANCE_FAULT, {
    path: "/reporting_api/v2/instances/events",
    body: "{",
  }),
  refuses("Order of the checks", "an invalid instance before the body", ...INSTANCE_FAULT, {
    path: instancePath("x"),
    body: "{",
  }),
  refuses(
    "Order of the checks",
    "the first of several missing fields",
    ...missingFault("publishId"),
    {
      body: { event: "open" },
    },
  ),
  refuses(
    "Order of the checks",
    "a missing field before an invalid one",
    ...missingFault("timestampSecs"),
    {
      body: { ...VALID, event: "click", timestampSecs: null },
    },
  ),
];

const preflight = (name: string, path: string): ConformanceCase => ({
  name,
  topic: "Preflight",
  request: {
    method: "OPTIONS",
    path,
    headers: {
      origin: "https://shop.example",
      "access-control-request-method": "POST",
      "access-control-request-headers": "content-type",
    },
    body: null,
  },
  answer: {
    status: 204,
    headers: {
      ...ORIGIN,
      "access-control-allow-methods": "POST",
      "access-control-allow-headers": "content-type, x-pusher-library",
      "access-control-max-age": "7200",
    },
    body: null,
  },
  row: null,
});

/** Every case, in the order of the documentation. Each stands alone and can be sent at any time. */
export const CONFORMANCE_CASES: readonly ConformanceCase[] = [
  ...SDK_CASES,
  ...LENIENT_CASES,
  ...REFUSED_CASES,
  ...ORDER_CASES,
  preflight("lets the browser of any site report", CONFORMANCE_PATH),
  preflight("answers a preflight for any instance", instancePath("x")),
];
