import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { askClickHouse, sendReports } from "@push-reports/test-support";
import { ComposeProject } from "../support/compose-project.js";
import { expectExactlyOnce } from "../support/exactly-once.js";
import { sayFigures } from "../support/load-figures.js";
import { onceSent } from "../support/once-sent.js";

const REPORTS = 40_000;
const CONNECTIONS = 64;
/** The last answers of a load, by when the deployment must have got over what was killed. */
const LAST = 5_000;
const UP_TIMEOUT_MS = 900_000;
const LOAD_TIMEOUT_MS = 300_000;

describe("docker compose --profile scale", () => {
  const project = new ComposeProject("push-reports-scale", ["scale"]);
  const select = async <T>(sql: string): Promise<readonly T[]> => {
    const lines = await askClickHouse(project.clickHouse(), `${sql} FORMAT JSONEachRow`);
    return lines
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as T);
  };

  beforeAll(() => project.compose("up", "--build", "--wait"), UP_TIMEOUT_MS);
  afterAll(() => project.compose("down", "--volumes"), UP_TIMEOUT_MS);

  afterEach(async () => {
    await project.compose("up", "--detach", "--wait", "--no-recreate");
  }, UP_TIMEOUT_MS);

  it.each([
    ["a broker and a consumer", ["scale-kafka-1", "scale-consumer"]],
    ["another broker and a gateway", ["scale-kafka-3", "scale-gateway"]],
  ])(
    "answers 200 again while %s stay dead, and every answered report is exactly one row",
    async (what, services) => {
      const half = onceSent(REPORTS / 2, async () => {
        await Promise.all(services.map((service) => project.killOne(service, 1)));
      });

      const load = await sendReports({
        url: "http://127.0.0.1:8088",
        count: REPORTS,
        connections: CONNECTIONS,
        onProgress: half.onProgress,
      });
      await half.done;

      sayFigures(`scale, ${what} killed`, load);
      const answered = await expectExactlyOnce(load, select);
      expect(answered).toBeGreaterThan(REPORTS / 2);
      const last = load.reports.slice(-LAST).map(({ status }) => status);
      expect(last.filter((status) => status !== 200)).toEqual([]);
    },
    LOAD_TIMEOUT_MS,
  );
});
