import type { ErrorResponse } from "@push-reports/gateway";
import type { ConformanceCase, ConformanceTopic, WireCase } from "@push-reports/test-support";
import { exampleOf, shown } from "./http-example.js";

/** What the page is made from. */
export interface HttpApi {
  /** Answers by fault. */
  readonly errors: Readonly<Record<string, ErrorResponse>>;
  readonly cases: readonly ConformanceCase[];
  readonly wireCases: readonly WireCase[];
}

const INTRODUCTION = `# HTTP API

Generated from the tables that the gateway answers by and is tested with: \`npm run docs\` writes it.
As an OpenAPI 3.1 document: [openapi.yaml](openapi.yaml), which each gateway also serves at \`GET /openapi.json\`.

## Request

    POST /reporting_api/v2/instances/{instanceId}/events        Content-Type: application/json

\`instanceId\` is a UUID in any case. Percent-encoding, a trailing slash and a query string change nothing. One report a request.

| key | type | on a delivery | on an open | meaning |
| --- | --- | --- | --- | --- |
| \`event\` | string | \`delivery\` | \`open\` | in any case |
| \`publishId\` | string | required | required | the publish request that led to the notification; at most 256 UTF-16 units |
| \`deviceId\` | string | required | required | the device, opaque; at most 256 UTF-16 units |
| \`timestampSecs\` | number | required | required | the device's Unix time, 0 to 4294967295; a fraction is cut off |
| \`userId\` | string | optional | optional | the user; at most 512 UTF-16 units |
| \`appInBackground\` | boolean | optional | tolerated | the app was in the background |
| \`hasDisplayableContent\` | boolean | optional | tolerated | the notification had something to show |
| \`hasData\` | boolean | optional | tolerated | the notification carried a data payload |

\`null\` means absent, and so does an empty string where text is expected. A tolerated key of a wrong type counts as absent. Other keys are ignored. Of a
repeated key the last value counts. A body may be compressed (\`Content-Encoding: gzip\`, \`deflate\`, \`br\`); what comes out has the same
limit as a plain one, \`MAX_BODY_BYTES\`. \`x-pusher-library\` is kept with the report.

## Answer

\`200\` with an empty body means that the report is durable. It comes within \`ANSWER_DEADLINE_MS\` (5 s) of the body's end, or \`503\` does.
Everything else is a refusal: \`{"error": "<title>", "description": "<text>"}\`. The first fault in this order is named:
`;

const AFTER_ERRORS = `
Which answers to expect, and why no others: \`400\` means that the report can never be accepted, \`503\` that it could be later; it has \`Retry-After\`, 1 to 8
seconds at random. There is no other status for a \`POST\` to this path, whatever is wrong with the request, because the SDKs act on it: iOS registers
its device anew on 404 and repeats for ever on what is not 400, 401 or 403; Android drops a report on every refusal that is no 5xx; the web does not
repeat. There are no redirects, since a redirected \`POST\` is a lost report. Other methods get 405, other paths 404.

Every answer carries \`Access-Control-Allow-Origin: *\`: any site's service worker may report and read the answer. Credentials are not asked for, and are ignored.

What has no head that can be read as HTTP, or does not arrive in time, is answered in the same form and closes the connection. A connection that
never sent anything is closed without an answer.

## Cases

Each of these is a test, on real connections, of the gateway in a test's process, of standalone, and of the services.
`;

const SHOWN_IN_FULL: readonly ConformanceTopic[] = ["What the SDKs send"];

/** docs/http-api.md: the contract in prose, the answers by fault, and every case. */
export function httpApiPage({ errors, cases, wireCases }: HttpApi): string {
  const topics = [...new Set(cases.map(({ topic }) => topic))];
  return [
    INTRODUCTION,
    errorTable(errors),
    AFTER_ERRORS,
    ...topics.map((topic) => topicSection(topic, cases)),
    wireSection(wireCases),
  ].join("\n");
}

function errorTable(errors: HttpApi["errors"]): string {
  const rows = Object.entries(errors).map(
    ([code, { status, error, description }]) =>
      `| ${status} | ${error} | ${TEXT_OF_FIELD[code] ?? description} | \`${code}\` |`,
  );
  const head = "| status | error | description | counted as |\n| --- | --- | --- | --- |";
  return `${head}\n${rows.join("\n")}`;
}

/** Texts that name a field, as a reader needs them. */
const TEXT_OF_FIELD: Readonly<Record<string, string>> = {
  missing_field:
    "`<key>` is missing from body. (The first of event, publishId, deviceId, timestampSecs that is absent, null or an empty string.)",
  invalid_field:
    "`<key>` must be … (A wrong type, an unknown event, a number out of range, a text that is too long.)",
};

function topicSection(topic: ConformanceTopic, cases: readonly ConformanceCase[]): string {
  const ofTopic = cases.filter((given) => given.topic === topic);
  const body = SHOWN_IN_FULL.includes(topic)
    ? ofTopic.map((given) => `The gateway ${given.name}:\n\n${exampleOf(given)}\n`).join("\n")
    : caseTable(ofTopic);
  return `### ${topic}\n\n${body}`;
}

function caseTable(cases: readonly ConformanceCase[]): string {
  const rows = cases.map(
    (given) => `| ${given.name} | ${shown(differenceOf(given), 90)} | ${answerOf(given.answer)} |`,
  );
  return `| the gateway … | sent | answer |\n| --- | --- | --- |\n${rows.join("\n")}\n`;
}

/** What of a request is worth showing in a table. */
function differenceOf({ topic, request }: ConformanceCase): string {
  const { path, headers, body } = request;
  if (topic === "Instance id" || topic === "Preflight") return `${request.method} ${path}`;
  if (topic === "Content type") return `Content-Type: ${headers["content-type"] ?? "(none)"}`;
  if (headers["content-encoding"] !== undefined)
    return `Content-Encoding: ${headers["content-encoding"]}`;
  return body === null ? "(no body)" : body.toString();
}

function wireSection(cases: readonly WireCase[]): string {
  const rows = cases.map(({ name, bytes, answers }) => {
    const listed = answers.map(answerOf).join(", then ");
    return `| ${name} | ${shown(bytes.toString("latin1").replace(/^POST \S+\/events /, "POST … "), 110)} | ${listed} |`;
  });
  return `### On the wire\n\n| the gateway … | bytes | answer |\n| --- | --- | --- |\n${rows.join("\n")}\n`;
}

function answerOf({ status, body }: ConformanceCase["answer"]): string {
  const { description } = (body ?? {}) as { readonly description?: string };
  return description === undefined ? String(status) : `${status} ${description}`;
}
