import { describe, expect, it } from "@jest/globals";
import { reportRequests } from "../../src/load/report-requests.js";
import { sdkReport, USUAL_POPULATION } from "../../src/load/sdk-reports.js";

const NOW = 1_700_000_000;
const COUNT = 20_000;
const reports = Array.from({ length: COUNT }, (_, index) =>
  sdkReport(index, USUAL_POPULATION, NOW),
);
const share = (is: (report: (typeof reports)[number]) => boolean) =>
  reports.filter(is).length / COUNT;

describe("The reports of a load", () => {
  it("come from three SDKs, as deliveries and opens, with and without a user", () => {
    const library = (name: string) =>
      share(({ headers }) => (headers["x-pusher-library"] ?? "").includes(name));
    expect(library("android")).toBeCloseTo(0.5, 1);
    expect(library("swift")).toBeCloseTo(0.3, 1);
    expect(share(({ headers }) => "origin" in headers)).toBeCloseTo(0.2, 1);
    expect(share(({ report }) => report.event === "open")).toBeCloseTo(1 / 6, 1);
    expect(share(({ report }) => report.userId !== null)).toBeCloseTo(0.4, 1);
  });

  it("have as many instances and publishes as they are asked for, and about as many devices as reports", () => {
    const distinct = (of: (report: (typeof reports)[number]) => string) =>
      new Set(reports.map(of)).size;
    expect(distinct(({ instanceId }) => instanceId)).toBe(USUAL_POPULATION.instances);
    expect(distinct(({ report }) => report.publishId)).toBeGreaterThan(1_950);
    expect(distinct(({ report }) => report.deviceId)).toBeGreaterThan(COUNT * 0.95);
  });

  it("keep a publish in one instance", () => {
    const owners = new Map<string, Set<string>>();
    for (const { instanceId, report } of reports)
      owners.set(report.publishId, (owners.get(report.publishId) ?? new Set()).add(instanceId));
    expect(Math.max(...[...owners.values()].map(({ size }) => size))).toBe(1);
  });

  it("are whole requests whose length is that of their body", () => {
    for (const bytes of reportRequests(200, USUAL_POPULATION, NOW)) {
      const [head = "", body = ""] = bytes.toString("utf8").split("\r\n\r\n");
      expect(/\r\ncontent-length: (\d+)/.exec(head)?.[1]).toBe(String(Buffer.byteLength(body)));
      expect(head).toMatch(
        /^POST \/reporting_api\/v2\/instances\/[0-9a-f-]{36}\/events HTTP\/1\.1\r\n/,
      );
      expect(() => JSON.parse(body)).not.toThrow();
    }
  });
});
