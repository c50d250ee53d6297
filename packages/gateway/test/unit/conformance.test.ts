import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { CONFORMANCE_CASES, sendConformanceCase } from "@push-reports/test-support";
import { InMemoryReportPublisher } from "../fakes/in-memory-report-publisher.js";
import { startGateway, type TestGateway } from "../support/start-gateway.js";

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
    const rows = publisher.rows.slice(before);
    if (conformanceCase.row === null) expect(rows).toEqual([]);
    else expect(rows).toEqual([expect.objectContaining(conformanceCase.row)]);
  });

  it("counts exactly one outcome for each request", async () => {
    const { requests, outcomes } = await gateway.counted();
    const posts = CONFORMANCE_CASES.filter(({ request }) => request.method === "POST").length;
    expect(requests).toBe(posts);
    expect(Object.values(outcomes).reduce((sum, count) => sum + count, 0)).toBe(posts);
  });
});
