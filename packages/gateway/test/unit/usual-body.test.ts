import { describe, expect, it } from "@jest/globals";
import { MAX_ID_UNITS, MAX_TIMESTAMP_SECS, MAX_USER_ID_UNITS } from "@push-reports/report";
import { CONFORMANCE_CASES } from "@push-reports/test-support";
import fc from "fast-check";
import { judgeBody } from "../../src/parse-report.js";
import { acceptUsualBody } from "../../src/usual-body.js";

const RUNS = 20_000;

/** Text around a limit, and what is no text. */
const text = (limit: number) =>
  fc.oneof(
    { weight: 6, arbitrary: fc.string({ unit: "binary", minLength: 1, maxLength: 40 }) },
    fc.integer({ min: limit - 2, max: limit + 2 }).map((length) => "x".repeat(length)),
    fc.constantFrom<unknown>("", null, undefined, 7, true, {}, [], ["a"]),
  );
const flag = fc.oneof(
  { weight: 3, arbitrary: fc.boolean() },
  fc.constantFrom<unknown>(null, undefined, "true", 0, 1, {}, ""),
);
const body = fc.record(
  {
    event: fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom("delivery", "open", "Delivery", "Open") },
      fc.constantFrom<unknown>("DELIVERY", "oPen", " open", "open ", "opened", "", null, 1, {}),
    ),
    publishId: text(MAX_ID_UNITS),
    deviceId: text(MAX_ID_UNITS),
    timestampSecs: fc.oneof(
      { weight: 3, arbitrary: fc.integer({ min: 0, max: MAX_TIMESTAMP_SECS }) },
      fc.double({ min: -1, max: MAX_TIMESTAMP_SECS + 1, noNaN: true }),
      fc.constantFrom<unknown>(-0, -1, MAX_TIMESTAMP_SECS + 0.5, 1e300, "1", null, true, [1]),
    ),
    userId: text(MAX_USER_ID_UNITS),
    appInBackground: flag,
    hasDisplayableContent: flag,
    hasData: flag,
    instanceId: fc.string(),
    more: fc.jsonValue(),
  },
  { requiredKeys: [] },
);

describe("a usual body", () => {
  it("is accepted as the schema would, and whatever the schema refuses is none", () => {
    let usual = 0;
    fc.assert(
      fc.property(body, (given) => {
        const accepted = acceptUsualBody(given);
        if (accepted === null) return;
        usual += 1;
        expect(judgeBody(given)).toEqual({ ok: true, body: accepted });
      }),
      { numRuns: RUNS },
    );
    // Of random bodies enough are usual for this to say something.
    expect(usual).toBeGreaterThan(RUNS / 200);
  });

  it("is what each SDK sends", () => {
    const sent = CONFORMANCE_CASES.filter(
      ({ topic, answer }) => topic === "What the SDKs send" && answer.status === 200,
    );
    expect(sent.length).toBeGreaterThan(5);
    for (const { name, request } of sent) {
      const given = JSON.parse(request.body?.toString() ?? "") as Record<string, unknown>;
      expect([name, acceptUsualBody(given)]).toEqual([name, expect.anything()]);
    }
  });
});
