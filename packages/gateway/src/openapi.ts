import {
  MAX_ID_UNITS,
  MAX_TIMESTAMP_SECS,
  MAX_USER_ID_UNITS,
  type REPORT_EVENTS,
} from "@push-reports/report";
import { PREFLIGHT_HEADERS } from "./cors.js";
import { ERROR_RESPONSES, type ErrorResponse, MAX_RETRY_AFTER_SECS } from "./error-responses.js";

/** A part of a document that is data all the way down. */
type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
type JsonObject = Readonly<Record<string, Json>>;

const ID = { type: "string", minLength: 1, maxLength: MAX_ID_UNITS } as const;
const FLAG = { type: ["boolean", "null"] } as const;

const COMMON_PROPERTIES = {
  publishId: {
    ...ID,
    description: "The publish request that led to the notification.",
    examples: ["pubid-7a1c8a6e-0c05-4f1e-8f0b-6f1f5f7f0b11"],
  },
  deviceId: {
    ...ID,
    description: "The device, opaque.",
    examples: ["web-1f0c4b2a-4b0e-4a7c-9a52-5d5d4a0b6c11"],
  },
  timestampSecs: {
    type: "number",
    minimum: 0,
    maximum: MAX_TIMESTAMP_SECS,
    description: "The device's Unix time of the event, seconds; a fraction is cut off.",
    examples: [1_700_000_000],
  },
  userId: {
    type: ["string", "null"],
    maxLength: MAX_USER_ID_UNITS,
    description: "The authenticated user; null or empty when there is none.",
  },
} as const;

/** Any case of a word, as a pattern: JSON Schema has no flag for it. */
const anyCase = (word: string) =>
  `^${[...word].map((letter) => `[${letter}${letter.toUpperCase()}]`).join("")}$`;

const reportSchema = (event: (typeof REPORT_EVENTS)[number], flag: JsonObject, about: string) => ({
  type: "object",
  required: ["event", "publishId", "deviceId", "timestampSecs"],
  properties: {
    event: { type: "string", pattern: anyCase(event), examples: [event] },
    ...COMMON_PROPERTIES,
    appInBackground: { ...flag, description: "The app was in the background." },
    hasDisplayableContent: { ...flag, description: "The notification had something to show." },
    hasData: { ...flag, description: "The notification carried a data payload." },
  },
  description: about,
});

const SCHEMAS = {
  Report: {
    anyOf: [{ $ref: "#/components/schemas/Delivery" }, { $ref: "#/components/schemas/Open" }],
    description:
      "What happened to a notification on a device. Keys that are not named here are ignored. Lengths are in UTF-16 units.",
  },
  Delivery: reportSchema("delivery", FLAG, "The device received the notification."),
  Open: reportSchema(
    "open",
    {},
    "The user tapped the notification. A flag that is neither true nor false counts as absent.",
  ),
  Error: {
    type: "object",
    required: ["error", "description"],
    additionalProperties: false,
    properties: {
      error: { type: "string", description: "A title." },
      description: { type: "string", description: "A sentence for people." },
    },
  },
} as const;

const CORS_HEADER = {
  description: "Any site may read the answer.",
  required: true,
  schema: { type: "string", const: "*" },
} as const;
const RETRY_AFTER = {
  description: "Seconds after which to send again.",
  required: true,
  schema: { type: "integer", minimum: 1, maximum: MAX_RETRY_AFTER_SECS },
} as const;

/** The answers of one status, each fault an example. Texts that depend on the field are left open. */
function refusal(status: ErrorResponse["status"], about: string, headers: JsonObject = {}) {
  const faults = Object.entries(ERROR_RESPONSES).filter(([, answer]) => answer.status === status);
  return {
    description: about,
    headers: { "Access-Control-Allow-Origin": CORS_HEADER, ...headers },
    content: {
      "application/json": {
        schema: {
          allOf: [
            { $ref: "#/components/schemas/Error" },
            { properties: { error: { enum: [...new Set(faults.map(([, { error }]) => error))] } } },
          ],
        },
        examples: Object.fromEntries(
          faults.map(([code, { error, description }]) => [code, { value: { error, description } }]),
        ),
      },
    },
  };
}

const PREFLIGHT_ANSWER = {
  description: "The browser may send the report.",
  headers: {
    "Access-Control-Allow-Origin": CORS_HEADER,
    ...Object.fromEntries(
      (
        [
          ["Access-Control-Allow-Methods", PREFLIGHT_HEADERS["access-control-allow-methods"]],
          ["Access-Control-Allow-Headers", PREFLIGHT_HEADERS["access-control-allow-headers"]],
          ["Access-Control-Max-Age", PREFLIGHT_HEADERS["access-control-max-age"]],
        ] as const
      ).map(([name, value]) => [
        name,
        { required: true, schema: { type: "string", const: value } },
      ]),
    ),
  },
} as const;

const REPORTING_PATH = {
  parameters: [
    {
      name: "instanceId",
      in: "path",
      required: true,
      description: "The Beams instance: a UUID in any case.",
      schema: { type: "string", format: "uuid" },
    },
  ],
  post: {
    operationId: "report",
    summary: "Reports what happened to a notification on a device",
    parameters: [
      {
        name: "x-pusher-library",
        in: "header",
        required: false,
        description: "Name and version of the client library.",
        schema: { type: "string" },
        example: "push-notifications-android 1.10.0",
      },
      {
        name: "Content-Encoding",
        in: "header",
        required: false,
        description: "gzip, deflate or br; what comes out is bounded as a plain body is.",
        schema: { type: "string" },
      },
    ],
    requestBody: {
      required: true,
      content: { "application/json": { schema: { $ref: "#/components/schemas/Report" } } },
    },
    responses: {
      "200": {
        description: "The report is durable. The body is empty.",
        headers: { "Access-Control-Allow-Origin": CORS_HEADER },
      },
      "400": refusal(400, "The report can never be accepted. Do not send it again."),
      "500": refusal(500, "A fault of the server."),
      "503": refusal(503, "The report cannot be made durable now. Send it again later.", {
        "Retry-After": RETRY_AFTER,
      }),
    },
  },
  options: {
    operationId: "preflight",
    summary: "Lets a browser ask whether a service worker of another site may report",
    responses: { "204": PREFLIGHT_ANSWER },
  },
} as const;

/** The API as an OpenAPI 3.1 document, made from the same tables as the answers. */
export const OPENAPI = {
  openapi: "3.1.0",
  info: {
    title: "Push reports",
    version: "2",
    summary: "Takes the delivery and open reports of the Pusher Beams SDKs",
    license: { name: "Apache-2.0", identifier: "Apache-2.0" },
  },
  servers: [{ url: "/" }],
  security: [],
  paths: {
    "/reporting_api/v2/instances/{instanceId}/events": REPORTING_PATH,
    "/openapi.json": {
      get: {
        operationId: "openapi",
        summary: "This document",
        responses: {
          "200": {
            description: "The document.",
            headers: { "Access-Control-Allow-Origin": CORS_HEADER },
            content: { "application/json": { schema: { type: "object" } } },
          },
        },
      },
    },
  },
  components: { schemas: SCHEMAS },
} as const;
