import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import {
  CONFORMANCE_CASES,
  OpenApiAnswers,
  sendConformanceCase,
  sendWireCase,
  WIRE_CASES,
} from "@push-reports/test-support";
import { OPENAPI } from "../../src/openapi.js";
import { InMemoryReportPublisher } from "../fakes/in-memory-report-publisher.js";
import { startGateway, type TestGateway } from "../support/start-gateway.js";

const PATH = "/reporting_api/v2/instances/{instanceId}/events";
const openApi = new OpenApiAnswers(OPENAPI);

describe("the gateway", () => {
  const publisher = new InMemoryReportPublisher();
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway(publisher);
  });
  afterAll(() => gateway.stop());

  it.each(CONFORMANCE_CASES)("$name", async (conformanceCase) => {
    const before = publisher.records.length;
    const answer = await sendConformanceCase(gateway.baseUrl, conformanceCase);
    expect(answer).toMatchObject(conformanceCase.answer);
    expect(openApi.faultsOf(conformanceCase.request.method, PATH, answer)).toEqual([]);
    const rows = publisher.rows.slice(before);
    if (conformanceCase.row === null) expect(rows).toEqual([]);
    else expect(rows).toEqual([expect.objectContaining(conformanceCase.row)]);
  });

  it.each(WIRE_CASES)("$name on the wire", async (wireCase) => {
    const before = publisher.records.length;
    const answers = await sendWireCase(gateway.baseUrl, wireCase);
    expect(answers).toMatchObject(wireCase.answers);
    expect(answers).toHaveLength(wireCase.answers.length);
    expect(publisher.records.length - before).toBe(wireCase.rows);
  });

  it("counts exactly one outcome for each request", async () => {
    const { requests, outcomes } = await gateway.counted();
    const posts = CONFORMANCE_CASES.filter(({ request }) => request.method === "POST").length;
    const onTheWire = WIRE_CASES.reduce((sum, { answers }) => sum + answers.length, 0);
    expect(requests).toBe(posts + onTheWire);
    expect(Object.values(outcomes).reduce((sum, count) => sum + count, 0)).toBe(requests);
  });
});
