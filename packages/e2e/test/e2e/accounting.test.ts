import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { waitFor } from "@push-reports/test-support";
import { type MixedLoad, sendMixedLoad } from "../support/mixed-load.js";
import { type Sample, sampleOf, scrapeMetrics, valuesBy } from "../support/scrape-metrics.js";
import { StandaloneDeployment } from "../support/standalone-deployment.js";

const REQUESTS = 100_000;
const PREFIX = "push_reports_gateway";

describe("The accounts of 100,000 mixed requests, some of them aborted", () => {
  const instanceId = randomUUID();
  let standalone: StandaloneDeployment;
  let load: MixedLoad;
  let samples: readonly Sample[];
  let outcomes: Readonly<Record<string, number>>;

  beforeAll(async () => {
    standalone = await StandaloneDeployment.start();
    load = await sendMixedLoad({
      port: Number(new URL(standalone.url).port),
      instanceId,
      count: REQUESTS,
      connections: 100,
    });
    await waitFor(
      async () => {
        samples = await scrapeMetrics(`${standalone.operationsUrl}/metrics`);
        return sampleOf(samples, `${PREFIX}_in_flight_requests`) === 0;
      },
      { what: "the last requests to end", timeoutMs: 30_000 },
    );
    outcomes = valuesBy(samples, `${PREFIX}_outcomes_total`, "outcome");
  }, 600_000);
  afterAll(() => standalone?.dispose());

  it("have one outcome for each request", () => {
    const ended = Object.values(outcomes).reduce((sum, count) => sum + count, 0);
    expect(ended).toBe(sampleOf(samples, `${PREFIX}_requests_total`));
    expect(ended).toBeLessThanOrEqual(REQUESTS);
    expect(ended).toBeGreaterThanOrEqual(
      REQUESTS -
        load.sent["leaves in the middle of its body"] -
        load.sent["resets in the middle of its body"] -
        load.sent["leaves after its body"],
    );
  });

  it("name the outcome that each client saw", () => {
    expect(load.unexpected).toEqual([]);
    const { sent } = load;
    const exact = Object.entries(sent).filter(
      ([name]) => name in outcomes && name !== "unreadable_request",
    );
    expect(exact.length).toBeGreaterThan(5);
    expect(exact.map(([name]) => [name, outcomes[name]])).toEqual(exact);
    // Half a body and a closed connection: the client may listen still, so it is answered, unless it has reset the connection.
    const halves = (outcomes["unreadable_request"] ?? 0) - sent.unreadable_request;
    expect(halves).toBeGreaterThan(0);
    expect(outcomes["aborted"]).toBeGreaterThan(0);
    expect(halves + (outcomes["aborted"] ?? 0)).toBeLessThanOrEqual(
      sent["leaves in the middle of its body"] + sent["resets in the middle of its body"],
    );
    expect(outcomes["published"]).toBeGreaterThanOrEqual(load.answers["200"] ?? Number.NaN);
    expect(outcomes["published"]).toBeLessThanOrEqual(
      load.sent.good + load.sent["leaves after its body"],
    );
  });

  it("say how many rows there are", async () => {
    const count = async () => {
      const [row] = await standalone.rows<{ n: number | string }>(
        `SELECT count() AS n FROM ${standalone.reports} WHERE instance_id = '${instanceId}'`,
      );
      return Number(row?.n);
    };
    await waitFor(async () => (await count()) === outcomes["published"], {
      what: "the last rows",
      timeoutMs: 60_000,
    });
  });
});
