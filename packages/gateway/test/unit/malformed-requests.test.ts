import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { parseAnswers, type RawAnswer } from "@push-reports/test-support";
import fc from "fast-check";
import { ERROR_RESPONSES } from "../../src/error-responses.js";
import { InMemoryReportPublisher } from "../fakes/in-memory-report-publisher.js";
import { malformedRequest } from "../support/malformed-requests.js";
import { sendToTheEnd } from "../support/send-to-the-end.js";
import { startGateway, type TestGateway } from "../support/start-gateway.js";

/** Connections at a time, and how often. */
const CONNECTIONS = 300;
const RUNS = 10;

const SENTENCES = [
  ...Object.values(ERROR_RESPONSES).map(({ description }) => description),
  /^(event|publishId|deviceId|timestampSecs) is missing from body\.$/,
  /^event must be delivery or open\.$/,
  /^timestampSecs must be a number from 0 to 4294967295\.$/,
  /^(publishId|deviceId|userId) must be a string\.$/,
  /^(publishId|deviceId|userId) must have at most (256|512) UTF-16 units\.$/,
  /^(appInBackground|hasDisplayableContent|hasData) must be true or false\.$/,
];

function isOurs(description: string): boolean {
  return SENTENCES.some((sentence) =>
    typeof sentence === "string" ? sentence === description : sentence.test(description),
  );
}

function expectOurForm({ status, headers, body }: RawAnswer): void {
  expect([200, 400, 503]).toContain(status);
  expect(headers["access-control-allow-origin"]).toBe("*");
  if (status === 200) {
    expect(body).toBe("");
    return;
  }
  expect(headers["content-type"]).toBe("application/json");
  const refusal = JSON.parse(body) as { readonly error: string; readonly description: string };
  expect(Object.keys(refusal)).toEqual(["error", "description"]);
  if (!isOurs(refusal.description)) throw new Error(`Not our words: ${refusal.description}`);
  if (status === 503) expect(Number(headers["retry-after"])).toBeGreaterThanOrEqual(1);
}

describe("whatever is posted to the reporting path", () => {
  const publisher = new InMemoryReportPublisher();
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway(publisher, { headersTimeoutMs: 800, requestTimeoutMs: 1_000 });
  });
  afterAll(() => gateway.stop());

  it("is answered 200, 400 or 503 in the API's form, and counted once", async () => {
    let accepted = 0;
    let answered = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(malformedRequest, { minLength: CONNECTIONS, maxLength: CONNECTIONS }),
        async (requests) => {
          const all = await Promise.all(
            requests.map(async (request) => ({
              bytes: request.bytes,
              answers: parseAnswers(await sendToTheEnd(gateway.port, request)),
            })),
          );
          for (const { bytes, answers } of all) {
            if (answers.length === 0)
              throw new Error(`No answer to ${JSON.stringify(bytes.toString("latin1"))}`);
            answers.forEach(expectOurForm);
            answered += answers.length;
            accepted += answers.filter(({ status }) => status === 200).length;
          }
        },
      ),
      { numRuns: RUNS, endOnFailure: true },
    );
    const { requests, outcomes } = await gateway.counted();
    expect(requests).toBe(answered);
    expect(Object.values(outcomes).reduce((sum, count) => sum + count, 0)).toBe(answered);
    expect(accepted).toBeGreaterThan(0);
    expect(outcomes["published"]).toBe(accepted);
    expect(publisher.records).toHaveLength(accepted);
    // Else the requests would not be as malformed as they should be.
    expect(Object.keys(outcomes)).toEqual(
      expect.arrayContaining([
        "invalid_content_type",
        "invalid_instance_id",
        "unreadable_body",
        "unreadable_request",
        "request_timeout",
      ]),
    );
  }, 120_000);
});
