import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import {
  CONFORMANCE_CASES,
  type ConformanceCase,
  type ConformanceTopic,
  OpenApiAnswers,
  sendConformanceCase,
} from "@push-reports/test-support";
import { Validator } from "@seriousme/openapi-schema-validator";
import { OPENAPI } from "../../src/openapi.js";
import { PublishError } from "../../src/report-publisher.js";
import { InMemoryReportPublisher } from "../fakes/in-memory-report-publisher.js";
import { startGateway, type TestGateway } from "../support/start-gateway.js";

const PATH = "/reporting_api/v2/instances/{instanceId}/events";
const answers = new OpenApiAnswers(OPENAPI);

const ABOUT_FIELDS: readonly ConformanceTopic[] = [
  "What the SDKs send",
  "Accepted all the same",
  "Missing fields",
  "Invalid fields",
];

/** Whether the fields of a plain body alone decide. Lengths of some characters are other ones in JSON Schema. */
function isAboutFields({ topic, request }: ConformanceCase): boolean {
  const isPlain = request.headers["content-encoding"] === undefined;
  return ABOUT_FIELDS.includes(topic) && isPlain && !request.body?.includes("😀");
}

describe("the OpenAPI document", () => {
  const publisher = new InMemoryReportPublisher();
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway(publisher);
  });
  afterAll(() => gateway.stop());

  it("is a valid one", async () => {
    const result = await new Validator().validate(structuredClone(OPENAPI));
    expect(result).toEqual({ valid: true });
  });

  it("is served, for pages of any origin", async () => {
    const answer = await fetch(`${gateway.baseUrl}/openapi.json`);
    expect(answer.headers.get("access-control-allow-origin")).toBe("*");
    expect(await answer.json()).toEqual(OPENAPI);
  });

  it.each([
    new PublishError("overloaded", "no"),
    new PublishError("timeout", "no"),
    new TypeError("a fault of ours"),
  ])("describes the answer to %s", async (refusal) => {
    publisher.refusal = refusal;
    const [good] = CONFORMANCE_CASES as [ConformanceCase];
    const answer = await sendConformanceCase(gateway.baseUrl, good);
    expect(answer.status).toBeGreaterThanOrEqual(500);
    expect(answers.faultsOf("POST", PATH, answer)).toEqual([]);
    publisher.refusal = null;
  });

  it.each(CONFORMANCE_CASES.filter(isAboutFields))(
    "takes the same reports as the gateway, which $name",
    (given) => {
      const body: unknown = JSON.parse(given.request.body?.toString() ?? "");
      expect(answers.isOf("Report", body)).toBe(given.answer.status === 200);
    },
  );

  it("finds faults in answers that it does not describe", () => {
    const headers = { "access-control-allow-origin": "*", "content-type": "application/json" };
    const refusal = { error: "Bad request", description: "No." };
    const faultsOf = (status: number, body: unknown, more: object = {}) =>
      answers.faultsOf("POST", PATH, { status, headers: { ...headers, ...more }, body });
    expect(faultsOf(400, refusal)).toEqual([]);
    expect(faultsOf(404, refusal)).toHaveLength(1);
    expect(faultsOf(503, { ...refusal, error: "Service unavailable" })).toEqual([
      "Retry-After is missing",
    ]);
    expect(
      faultsOf(503, { ...refusal, error: "Service unavailable" }, { "retry-after": "0" }),
    ).toHaveLength(1);
    expect(faultsOf(400, { ...refusal, stack: "at" })).not.toEqual([]);
    expect(faultsOf(400, refusal, { "content-type": "text/html" })).toHaveLength(1);
    expect(faultsOf(200, refusal)).toEqual(["there is a body"]);
  });
});
