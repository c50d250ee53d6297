import { describe, expect, it } from "@jest/globals";
import { parseReport } from "../../../gateway/src/parse-report.js";
import { demoCampaigns, randomFrom, reportsOf } from "../../src/demo-traffic.js";

const NOW = Date.parse("2026-01-02T12:00:00Z");
const HOURS_MS = 6 * 3_600_000;

describe("the demo's traffic", () => {
  const random = randomFrom(1);
  const campaigns = demoCampaigns(NOW, HOURS_MS, random);
  const reports = campaigns.flatMap((campaign) => reportsOf(campaign, random));

  it("is of several instances, and campaigns of very different sizes within the hours shown", () => {
    expect(new Set(campaigns.map(({ instanceId }) => instanceId)).size).toBe(3);
    const sizes = campaigns.map(({ recipients }) => recipients);
    expect(Math.max(...sizes)).toBeGreaterThan(5 * Math.min(...sizes));
    for (const { sentAt } of campaigns) {
      expect(sentAt).toBeGreaterThanOrEqual(NOW - HOURS_MS);
      expect(sentAt).toBeLessThan(NOW);
    }
  });

  it("is what the SDKs send, and what the gateway takes", () => {
    for (const { body, instanceId } of reports) {
      const parsed = parseReport(Buffer.from(JSON.stringify(body)), {
        instanceId,
        clientLibrary: "",
      });
      expect(parsed).toMatchObject({ ok: true });
    }
    const events = new Set(reports.map(({ body }) => body["event"]));
    expect(events).toEqual(new Set(["Delivery", "Open", "delivery", "open"]));
  });

  it("has reports that were sent twice, and more deliveries than opens", () => {
    const texts = reports.map(({ body }) => JSON.stringify(body));
    expect(new Set(texts).size).toBeLessThan(texts.length);
    const opens = reports.filter(({ body }) => String(body["event"]).toLowerCase() === "open");
    expect(opens.length).toBeGreaterThan(0);
    expect(opens.length).toBeLessThan(reports.length / 2);
  });
});
