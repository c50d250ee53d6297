import type { RejectReason } from "./parse-report.js";
import type { PublishErrorCode } from "./report-publisher.js";

/** Everything that can be wrong with a request to the reporting path. Metrics, logs and tests use these words. */
export type FaultCode =
  | "invalid_content_type"
  | "missing_instance_id"
  | "invalid_instance_id"
  /** Not among those that may report. */
  | "unknown_instance"
  | RejectReason
  /** The HTTP parser could not read it: bad chunking, a head that is too large, garbage. */
  | "unreadable_request"
  | "internal_error"
  | PublishErrorCode
  /** The client took too long to send it. */
  | "request_timeout"
  /** Refused before it was read: too much is under way, or too many connections are open. */
  | "busy"
  /** The same, because of what one client has under way. */
  | "busy_client";

/** A fault with what the sender is told where that depends on the request. */
export interface Fault {
  readonly code: FaultCode;
  /** Replaces the entry's text; a sentence that quotes nothing from the request. */
  readonly detail?: string;
}

/** One answer. */
export interface ErrorResponse {
  readonly status: 400 | 500 | 503;
  readonly error: string;
  readonly description: string;
}

const badRequest = (description: string): ErrorResponse => ({
  status: 400,
  error: "Bad request",
  description,
});

const unavailable = (description: string): ErrorResponse => ({
  status: 503,
  error: "Service unavailable",
  description,
});

const INVALID_INSTANCE = badRequest(
  "The instance id given is invalid. It is expected to be in this format: 426abfc7-41fe-492f-bcf1-27586fa9bd3f .",
);
const UNREADABLE = badRequest("Failed to read body as a JSON object.");

/**
 * Fault to answer, for everything that is sent to the reporting path; titles and texts are the published ones.
 *
 * What can never be accepted is 400: iOS drops a report on 400, 401 and 403 only, registers its device anew on 404 and
 * repeats for ever on any other refusal, holding back all that is queued behind it.
 * What could be accepted later is 503: Android drops a report for good on every refusal that is no 5xx, 429 included.
 * So no 404, 405, 408, 413, 415, 422, 429 or 431, whoever finds the fault.
 */
export const ERROR_RESPONSES: Readonly<Record<FaultCode, ErrorResponse>> = {
  invalid_content_type: {
    status: 400,
    error: "Invalid content type",
    description: "Only application/json is supported.",
  },
  missing_instance_id: {
    status: 400,
    error: "Incomplete Request",
    description: "instance-id param is missing from path.",
  },
  invalid_instance_id: INVALID_INSTANCE,
  unknown_instance: INVALID_INSTANCE,
  unreadable_body: UNREADABLE,
  unreadable_request: UNREADABLE,
  missing_field: badRequest("A field is missing from body."),
  invalid_field: badRequest("A field of the body is invalid."),
  internal_error: {
    status: 500,
    error: "Something went wrong",
    description: "Internal server error.",
  },
  overloaded: unavailable("Too many reports are waiting to be stored. Try again later."),
  busy: unavailable("Too many requests are under way. Try again later."),
  busy_client: unavailable("Too many requests of this client are under way. Try again later."),
  timeout: unavailable("The report could not be stored in time. Try again later."),
  unavailable: unavailable("Reports cannot be stored now. Try again later."),
  stopping: unavailable("This server is shutting down. Try again."),
  request_timeout: unavailable("The request did not arrive in time. Try again."),
};

/** Sent with every answer: any web site's service worker may read it. */
export const ORIGIN_HEADERS = { "access-control-allow-origin": "*" } as const;

/** Greatest `Retry-After`. */
export const MAX_RETRY_AFTER_SECS = 8;

/** An answer as it is written: status, headers and body. */
export interface WrittenResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body: string;
}

/**
 * Writes a fault's answer.
 * @param random in [0, 1): spreads `Retry-After` over 1 to 8 s, so that refused clients do not come back in step. Never 0:
 * Android would repeat at once.
 */
export function writeFault(fault: Fault, random: () => number = Math.random): WrittenResponse {
  if (fault.detail !== undefined) return write(ERROR_RESPONSES[fault.code], fault.detail, 1);
  const written = WRITTEN[fault.code];
  return written[Math.floor(random() * written.length)] ?? write(ERROR_RESPONSES[fault.code]);
}

function write(
  { status, error, description }: ErrorResponse,
  detail = description,
  retryAfterSecs = 1,
): WrittenResponse {
  const body = JSON.stringify({ error, description: detail });
  const headers = {
    ...ORIGIN_HEADERS,
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    ...(status === 503 ? { "retry-after": retryAfterSecs } : {}),
  };
  return Object.freeze({ status, headers: Object.freeze(headers), body });
}

const EACH_WAIT = Array.from({ length: MAX_RETRY_AFTER_SECS }, (_, index) => index + 1);

/** Written once: most answers under overload are one of these. */
const WRITTEN = Object.fromEntries(
  Object.entries(ERROR_RESPONSES).map(([code, response]) => [
    code,
    response.status === 503
      ? EACH_WAIT.map((secs) => write(response, response.description, secs))
      : [write(response)],
  ]),
) as unknown as Readonly<Record<FaultCode, readonly WrittenResponse[]>>;
