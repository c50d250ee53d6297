import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { askClickHouse, sendReports, waitFor } from "@push-reports/test-support";
import { ComposeProject } from "../support/compose-project.js";
import { expectExactlyOnce } from "../support/exactly-once.js";
import { sayFigures } from "../support/load-figures.js";
import { onceSent } from "../support/once-sent.js";
import { readmeCommand } from "../support/readme.js";

const REPORTS = 40_000;
const CONNECTIONS = 64;
/** Building the image takes most of it. */
const UP_TIMEOUT_MS = 900_000;
const DOWN_TIMEOUT_MS = 15_000;
const LOAD_TIMEOUT_MS = 300_000;

describe("docker compose", () => {
  const project = new ComposeProject("push-reports-e2e");
  const select = async <T>(sql: string): Promise<readonly T[]> => {
    const lines = await askClickHouse(project.clickHouse(), `${sql} FORMAT JSONEachRow`);
    return lines
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as T);
  };

  beforeAll(() => project.compose("up", "--build", "--wait"), UP_TIMEOUT_MS);
  afterAll(() => project.compose("down", "--volumes"), UP_TIMEOUT_MS);

  it("turns the README's curl into a row that the README's query shows", async () => {
    expect(await readmeCommand("the report")).toContain("200");
    await waitFor(async () => (await readmeCommand("the query of compose")).includes("delivery"), {
      what: "the report in the answer to the README's query",
    });
  });

  /** Sends reports, does something half-way, and compares rows with answers. @returns how many were answered 200. */
  const loadAndDisturb = async (what: string, disturb: () => Promise<void>): Promise<number> => {
    const half = onceSent(REPORTS / 2, disturb);
    const load = await sendReports({
      url: "http://127.0.0.1:8080",
      count: REPORTS,
      connections: CONNECTIONS,
      onProgress: half.onProgress,
    });
    await half.done;
    const answered = await expectExactlyOnce(load, select);
    sayFigures(`compose, ${what}`, load);
    return answered;
  };

  it.each(["consumer", "gateway", "clickhouse", "kafka"])(
    "turns every answered report into exactly one row when %s is killed half-way",
    async (service) => {
      const answered = await loadAndDisturb(`${service} killed`, async () => {
        await project.compose("kill", service);
        await project.compose("start", service);
      });

      expect(answered).toBeGreaterThan(REPORTS / 2);
    },
    LOAD_TIMEOUT_MS,
  );

  it(
    "ends gateway and consumer with code 0 when they are stopped under load, and loses nothing",
    async () => {
      const exitCodes: (number | null)[] = [];

      const answered = await loadAndDisturb("gateway and consumer stopped", async () => {
        await project.compose("stop", "gateway", "consumer");
        exitCodes.push(await project.exitCode("gateway"), await project.exitCode("consumer"));
        await project.compose("start", "gateway", "consumer");
      });

      expect(exitCodes).toEqual([0, 0]);
      expect(answered).toBeGreaterThan(REPORTS / 2);
    },
    LOAD_TIMEOUT_MS,
  );

  it(
    "stops within 15 s",
    async () => {
      const startedAt = Date.now();
      await project.compose("down");
      expect(Date.now() - startedAt).toBeLessThan(DOWN_TIMEOUT_MS);
    },
    UP_TIMEOUT_MS,
  );
});
