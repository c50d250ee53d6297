/** The published API as data: what is sent to the reporting path, and what must come back. */
export interface ConformanceCase {
  /** A sentence that completes "the gateway …". */
  readonly name: string;
  readonly topic: ConformanceTopic;
  readonly request: ConformanceRequest;
  readonly answer: ConformanceAnswer;
  /** Columns of the row that an accepted report becomes; other columns may hold anything. */
  readonly row: ConformanceRow | null;
}

/** One request. */
export interface ConformanceRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Null sends none. */
  readonly body: Buffer | null;
}

/** What an answer must be, or was. */
export interface ConformanceAnswer {
  readonly status: number;
  /** Lower-case names; of an expected answer, those that must come, while others may come too. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The parsed JSON, or null for an empty body. */
  readonly body: unknown;
}

/** Columns of `reports`, with `occurred_at` in Unix seconds. */
export type ConformanceRow = Readonly<Record<string, string | number | boolean | null>>;

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
  | "Preflight"
  | "On the wire";

/** The instance of every case that is not about instances. */
export const CONFORMANCE_INSTANCE_ID = "426abfc7-41fe-492f-bcf1-27586fa9bd3f";
/** The path of an instance, which need not be one. */
export const instancePath = (id: string) => `/reporting_api/v2/instances/${id}/events`;
/** The path of every case that is not about paths. */
export const CONFORMANCE_PATH = instancePath(CONFORMANCE_INSTANCE_ID);

export const ORIGIN = { "access-control-allow-origin": "*" } as const;
export const JSON_TYPE = { "content-type": "application/json" } as const;

/** A report with nothing but what it must have. */
export const VALID = {
  event: "delivery",
  publishId: "pubid-7a1c8a6e-0c05-4f1e-8f0b-6f1f5f7f0b11",
  deviceId: "web-1f0c4b2a-4b0e-4a7c-9a52-5d5d4a0b6c11",
  timestampSecs: 1_700_000_000,
} as const;

/** The bytes of {@link VALID}. */
export const VALID_BYTES = Buffer.from(JSON.stringify(VALID));

/** The row of {@link VALID}. */
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

/** A body as a case writes it down. */
export type SentBody = Readonly<Record<string, unknown>> | string | Buffer | null;

/** What of a request differs from a good one. */
export interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: SentBody;
}

/** A good request, but for what `sent` says. */
const requestOf = (sent: Sent): ConformanceRequest => ({
  method: sent.method ?? "POST",
  path: sent.path ?? CONFORMANCE_PATH,
  headers: sent.headers ?? JSON_TYPE,
  body: bytesOf(sent.body === undefined ? VALID : sent.body),
});

function bytesOf(body: SentBody): Buffer | null {
  if (body === null || Buffer.isBuffer(body)) return body;
  return Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
}

/** A case that must be answered 200 and become a row. */
export const accepts = (
  topic: ConformanceTopic,
  name: string,
  sent: Sent,
  row: ConformanceRow = {},
): ConformanceCase => ({
  name: `accepts ${name}`,
  topic,
  request: requestOf(sent),
  answer: { status: 200, headers: ORIGIN, body: null },
  row: { ...VALID_ROW, ...row },
});

/** A good report in a coding, or bytes that claim to be. */
export const encoded = (coding: string, body: Buffer): Sent => ({
  headers: { ...JSON_TYPE, "content-encoding": coding },
  body,
});

/** Title and text of a refusal. */
export type Refusal = readonly [error: string, description: string];

/** The answer of a refusal. */
export const refusalAnswer = ([error, description]: Refusal): ConformanceAnswer => ({
  status: 400,
  headers: { ...ORIGIN, ...JSON_TYPE },
  body: { error, description },
});

/** A case that must be answered 400 and become nothing. */
export const refuses = (
  topic: ConformanceTopic,
  name: string,
  refusal: Refusal,
  sent: Sent,
): ConformanceCase => ({
  name: `refuses ${name}`,
  topic,
  request: requestOf(sent),
  answer: refusalAnswer(refusal),
  row: null,
});

/** The published refusals, and our own sentences for invalid fields. */
export const CONTENT_TYPE: Refusal = [
  "Invalid content type",
  "Only application/json is supported.",
];
export const NO_INSTANCE: Refusal = [
  "Incomplete Request",
  "instance-id param is missing from path.",
];
export const NOT_AN_INSTANCE: Refusal = [
  "Bad request",
  "The instance id given is invalid. It is expected to be in this format: 426abfc7-41fe-492f-bcf1-27586fa9bd3f .",
];
export const UNREADABLE: Refusal = ["Bad request", "Failed to read body as a JSON object."];
export const missing = (key: string): Refusal => ["Bad request", `${key} is missing from body.`];
export const invalid = (sentence: string): Refusal => ["Bad request", sentence];
