import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { parseReport } from "../../src/parse-report.js";

const context = { instanceId: "426abfc7-41fe-492f-bcf1-27586fa9bd3f", clientLibrary: "lib" };
const parse = (body: string) => parseReport(Buffer.from(body), context);
const valid = { event: "open", publishId: "p", deviceId: "d", timestampSecs: 1 };

describe("parsing a report", () => {
  it("takes what the path and the headers say", () => {
    expect(parse(JSON.stringify(valid))).toMatchObject({ ok: true, report: context });
  });

  it("gives well-formed strings, whole seconds and known events for whatever it accepts", () => {
    const body = fc.record({
      event: fc.constantFrom("open", "Delivery", "OPEN"),
      publishId: fc.string({ unit: "binary", minLength: 1, maxLength: 256 }),
      deviceId: fc.string({ minLength: 1, maxLength: 20 }),
      timestampSecs: fc.double({ min: 0, max: 4_294_967_295, noNaN: true }),
      userId: fc.option(fc.string({ unit: "binary", maxLength: 512 })),
    });
    fc.assert(
      fc.property(body, (given) => {
        const parsed = parse(JSON.stringify(given));
        if (!parsed.ok) throw new Error(parsed.detail);
        const { report } = parsed;
        expect(["open", "delivery"]).toContain(report.event);
        expect(report.publishId.isWellFormed()).toBe(true);
        expect(report.timestampSecs).toBe(Math.floor(given.timestampSecs));
        expect(Object.is(report.timestampSecs, -0)).toBe(false);
      }),
    );
  });

  it("never throws, and quotes nothing of what it was given", () => {
    const secret = "hunter2";
    const json = fc.json({ maxDepth: 3 }).map((text) => text.replaceAll('"', `"${secret}`));
    fc.assert(
      fc.property(fc.oneof(json, fc.string()), (body) => {
        const parsed = parse(body);
        if (!parsed.ok) expect(parsed.detail).not.toContain(secret);
      }),
    );
    for (const key of ["event", "publishId", "deviceId", "timestampSecs", "userId"]) {
      const parsed = parse(JSON.stringify({ ...valid, [key]: { [secret]: secret } }));
      expect(parsed).toMatchObject({ ok: false, reason: "invalid_field" });
      expect(JSON.stringify(parsed)).not.toContain(secret);
    }
  });
});
