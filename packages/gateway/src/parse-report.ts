import { isUtf8 } from "node:buffer";
import {
  MAX_ID_UNITS,
  MAX_TIMESTAMP_SECS,
  MAX_USER_ID_UNITS,
  REPORT_EVENTS,
  type Report,
} from "@push-reports/report";
import Joi from "joi";
import { type AcceptedBody, acceptUsualBody } from "./usual-body.js";

/** The keys without which there is no report, in the order in which a missing one is named. */
const REQUIRED_KEYS = ["event", "publishId", "deviceId", "timestampSecs"] as const;
const FLAG_KEYS = ["appInBackground", "hasDisplayableContent", "hasData"] as const;

/** Why a body is not a report. */
export type RejectReason = "unreadable_body" | "missing_field" | "invalid_field";

/** What {@link parseReport} makes of a body. */
export type Parsed = { readonly ok: true; readonly report: Report } | Rejected;

/** A body that is no report. `detail` is a sentence for the sender and quotes no values. */
export interface Rejected {
  readonly ok: false;
  readonly reason: RejectReason;
  readonly detail: string;
}

/** What a request says besides its body. */
export interface ReportContext {
  /** A UUID in lower case. */
  readonly instanceId: string;
  /** Sanitised already. */
  readonly clientLibrary: string;
}

/** Judges a body and makes its report. Never throws. */
export function parseReport(body: Buffer, context: ReportContext): Parsed {
  const given = parseObject(body);
  if (given === null) return rejected("unreadable_body", "Failed to read body as a JSON object.");
  const usual = acceptUsualBody(given);
  if (usual !== null) return { ok: true, report: reportOf(usual, context) };
  const judged = judgeBody(given);
  return judged.ok ? { ok: true, report: reportOf(judged.body, context) } : judged;
}

/** Judges any body by the schema. */
export function judgeBody(
  given: Readonly<Record<string, unknown>>,
): { readonly ok: true; readonly body: AcceptedBody } | Rejected {
  const missing = REQUIRED_KEYS.find((key) => isMissing(given[key]));
  if (missing !== undefined) return rejected("missing_field", `${missing} is missing from body.`);
  const { error, value } = BODY_SCHEMA.validate(knownKeys(given));
  if (error !== undefined) return rejected("invalid_field", `${error.message}.`);
  return { ok: true, body: value };
}

const VALIDATION: Joi.AsyncValidationOptions = {
  convert: true,
  abortEarly: true,
  errors: { wrap: { label: false }, stack: false },
};

const id = () =>
  Joi.string().strict().required().max(MAX_ID_UNITS).messages({
    "string.base": "{#label} must be a string",
    "string.max": "{#label} must have at most {#limit} UTF-16 units",
  });

const flag = () =>
  Joi.boolean().strict().allow(null).required().messages({
    "boolean.base": "{#label} must be true or false",
  });

/** Strict: a string is no number and no flag. Only the event is converted, to lower case. */
const BODY_SCHEMA = Joi.object<AcceptedBody, true>({
  event: Joi.string()
    .lowercase()
    .valid(...REPORT_EVENTS)
    .required()
    .messages({ "*": "{#label} must be delivery or open" }),
  publishId: id(),
  deviceId: id(),
  timestampSecs: Joi.number()
    .strict()
    .unsafe()
    .min(0)
    .max(MAX_TIMESTAMP_SECS)
    .required()
    .messages({ "*": `{#label} must be a number from 0 to ${MAX_TIMESTAMP_SECS}` }),
  userId: Joi.string().strict().allow(null).required().max(MAX_USER_ID_UNITS).messages({
    "string.base": "{#label} must be a string",
    "string.max": "{#label} must have at most {#limit} UTF-16 units",
  }),
  appInBackground: flag(),
  hasDisplayableContent: flag(),
  hasData: flag(),
}).options(VALIDATION);

function rejected(reason: RejectReason, detail: string): Rejected {
  return { ok: false, reason, detail };
}

function parseObject(body: Buffer): Readonly<Record<string, unknown>> | null {
  if (!isUtf8(body)) return null;
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

const isMissing = (value: unknown) => value === undefined || value === null || value === "";

/**
 * The keys that the API knows, absent ones as null. The specification does not define the flags for `open`, so there a
 * flag of a wrong type counts as absent; on deliveries it is a fault.
 */
function knownKeys(given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { event, publishId, deviceId, timestampSecs, userId } = given;
  const isOpen = typeof event === "string" && event.toLowerCase() === "open";
  const known: Record<string, unknown> = {
    event,
    publishId,
    deviceId,
    timestampSecs,
    userId: isMissing(userId) ? null : userId,
  };
  for (const key of FLAG_KEYS) {
    const value = given[key] ?? null;
    known[key] = isOpen && typeof value !== "boolean" ? null : value;
  }
  return known;
}

function reportOf(body: AcceptedBody, context: ReportContext): Report {
  return {
    instanceId: context.instanceId,
    event: body.event,
    publishId: body.publishId.toWellFormed(),
    deviceId: body.deviceId.toWellFormed(),
    timestampSecs: Math.trunc(body.timestampSecs) + 0,
    userId: body.userId === null ? null : body.userId.toWellFormed(),
    appInBackground: body.appInBackground,
    hasDisplayableContent: body.hasDisplayableContent,
    hasData: body.hasData,
    clientLibrary: context.clientLibrary,
  };
}
