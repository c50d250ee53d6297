import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import {
  CONFORMANCE_CASES,
  CONFORMANCE_INSTANCE_ID,
  describeWithContainers,
  OpenApiAnswers,
  type OpenApiDocument,
  sendConformanceCase,
  sendWireCase,
  WIRE_CASES,
  waitFor,
} from "@push-reports/test-support";
import { Deployment } from "../support/deployment.js";
import { StandaloneDeployment } from "../support/standalone-deployment.js";

/** What runs: where its gateway listens, and its rows. */
interface Running {
  readonly url: string;
  /** Name of the table. */
  readonly reports: string;
  rows<T>(sql: string): Promise<readonly T[]>;
  dispose(): Promise<void>;
}

const PATH = "/reporting_api/v2/instances/{instanceId}/events";
const REPORT_CASES = CONFORMANCE_CASES.filter(({ row }) => row !== null);

describe("Standalone", () => conformsToTheApi(() => StandaloneDeployment.start()));

describeWithContainers("The services", ["kafka", "clickhouse"], () =>
  conformsToTheApi(async () => {
    const deployment = await Deployment.create();
    await Promise.all([deployment.start("gateway"), deployment.start("consumer")]);
    return deployment;
  }),
);

/** Sends every case in order; report ids grow, so that rows in their order are those of the accepted cases in theirs. */
function conformsToTheApi(start: () => Promise<Running>): void {
  let running: Running;
  let openApi: OpenApiAnswers;
  let startedAt: number;
  beforeAll(async () => {
    running = await start();
    startedAt = Date.now();
    const document = await fetch(`${running.url}/openapi.json`);
    openApi = new OpenApiAnswers((await document.json()) as OpenApiDocument);
  });
  afterAll(() => running?.dispose());

  it.each(CONFORMANCE_CASES)("$name", async (given) => {
    const answer = await sendConformanceCase(running.url, given);
    expect(answer).toMatchObject(given.answer);
    expect(openApi.faultsOf(given.request.method, PATH, answer)).toEqual([]);
  });

  it("makes the right row of each accepted report, in order, and none of the others", async () => {
    const read = () =>
      running.rows<Record<string, unknown>>(
        `SELECT * EXCEPT occurred_at, toUnixTimestamp(occurred_at) AS occurred_at, toUnixTimestamp64Milli(received_at) AS received_ms
         FROM ${running.reports} WHERE instance_id = '${CONFORMANCE_INSTANCE_ID}' ORDER BY toString(report_id)`,
      );
    await waitFor(async () => (await read()).length >= REPORT_CASES.length, {
      what: "the rows",
      timeoutMs: 60_000,
    });
    const rows = await read();
    expect(rows).toEqual(REPORT_CASES.map(({ row }) => expect.objectContaining(row ?? {})));
    for (const { received_ms } of rows) {
      expect(Number(received_ms)).toBeGreaterThanOrEqual(startedAt - 1_000);
      expect(Number(received_ms)).toBeLessThanOrEqual(Date.now() + 1_000);
    }
  });

  it.each(WIRE_CASES)("$name, on the wire", async (wireCase) => {
    const answers = await sendWireCase(running.url, wireCase);
    expect(answers).toMatchObject(wireCase.answers);
    expect(answers).toHaveLength(wireCase.answers.length);
  });
}
