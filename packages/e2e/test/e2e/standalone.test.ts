import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { freePort, patiently, sendReports, waitFor } from "@push-reports/test-support";
import { expectExactlyOnce } from "../support/exactly-once.js";
import { sayFigures } from "../support/load-figures.js";
import { onceSent } from "../support/once-sent.js";
import { StandaloneDeployment } from "../support/standalone-deployment.js";

const run = promisify(execFile);
const CONNECTIONS = 64;

describe("Standalone", () => {
  let standalone: StandaloneDeployment;
  beforeAll(async () => {
    standalone = await StandaloneDeployment.create();
  });
  afterAll(() => standalone?.dispose());

  it("prints commands to paste: one is answered 200, and the other shows the row", async () => {
    const process = await standalone.run();
    await waitFor(() => process.stdout.includes("SQL"), { what: "what it prints" });
    const { stdout } = process;
    const [report = "", query = ""] = stdout.match(/curl .*/g) ?? [];
    const [, metricsUrl = ""] = /Metrics\s+(\S+)/.exec(stdout) ?? [];
    const paste = async (command: string) => (await run("sh", ["-euc", command])).stdout;

    expect(await paste(report)).toMatch(/^HTTP\/1\.1 200 OK/);
    const sentAt = Date.now();
    await waitFor(async () => (await paste(query)).includes("web-first"), { what: "the row" });
    console.info(`A report was a row ${Date.now() - sentAt} ms after its answer`);
    expect(await (await fetch(metricsUrl)).text()).toContain("push_reports_");
  });

  it("turns every answered report into one row when it is killed under load and started again", async () => {
    const load = await loadWith(40_000, async () => {
      await standalone.end("SIGKILL");
      await standalone.run();
    });
    sayFigures("standalone killed half-way", load);

    expect(await answeredOnce(load)).toBeGreaterThan(20_000);
  });

  it("loses nothing when it is told to stop under load, and ends with code 0", async () => {
    let ended: unknown;
    const load = await loadWith(20_000, async () => {
      ended = await standalone.end("SIGTERM");
      await standalone.run();
    });
    sayFigures("standalone stopped half-way", load);

    expect(ended).toMatchObject({ code: 0, signal: null, stderr: "" });
    expect(await answeredOnce(load)).toBeGreaterThan(10_000);
  });

  it("says after all that how far everything can be queried, and of no gap and no overlap", async () => {
    const now = Date.now();
    await waitFor(
      async () => {
        const [row] = await standalone.rows<{ readonly ms: string }>(
          "SELECT toString(toUnixTimestamp64Milli(complete_to)) AS ms FROM ingest_complete_to",
        );
        return Number(row?.ms) >= now;
      },
      { what: "everything received until now to be complete", timeoutMs: 30_000 },
    );
    const [counts] = await standalone.rows<{ readonly gaps: string; readonly overlaps: string }>(
      "SELECT toString((SELECT count() FROM ingest_gaps)) AS gaps, toString((SELECT count() FROM ingest_overlaps)) AS overlaps",
    );
    expect(counts).toEqual({ gaps: "0", overlaps: "0" });
  });

  it("stops in time while a statement of SQL runs", async () => {
    const asked = standalone
      .ask("SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1")
      .catch(() => null);
    await waitFor(
      async () =>
        (
          await standalone.rows(
            "SELECT 1 FROM system.processes WHERE query LIKE '%sipHash64(number) = 1%'",
          )
        ).length > 1,
      { what: "the statement" },
    );

    expect(await standalone.end("SIGTERM")).toMatchObject({ code: 0, signal: null, stderr: "" });
    await asked;
    await standalone.run();
  });

  it("answers the page's questions while ingestion has the database at a long statement", async () => {
    const port = await freePort();
    const busy = await StandaloneDeployment.create({ INSIGHTS_PORT: String(port) });
    try {
      await busy.run({ program: "busy-standalone" });
      const time = "from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z";
      for (const question of ["freshness", `instances?${time}`]) {
        const signal = AbortSignal.timeout(patiently(20_000));
        const address = `http://127.0.0.1:${port}/api/questions/${question}`;
        expect([question, (await fetch(address, { signal })).status]).toEqual([question, 200]);
      }
    } finally {
      await busy.dispose();
    }
  });

  it("refuses a folder that another process owns, and says so", async () => {
    const second = await standalone.spawn({
      environment: { HTTP_PORT: "0", OPERATIONS_PORT: "0", SQL_PORT: "0" },
    }).ended;

    expect(second.code).toBe(1);
    expect(second.stdout + second.stderr).toContain(standalone.dataDir);
    expect(second.stdout + second.stderr).toContain("log_locked");
  });

  it("ends with the reason when a port is taken", async () => {
    const other = await StandaloneDeployment.create({ SQL_PORT: new URL(standalone.sqlUrl).port });
    const { code, stdout, stderr } = await other.spawn().ended;
    await other.dispose();

    expect(code).toBe(1);
    expect(stdout + stderr).toContain("EADDRINUSE");
  });

  /** Sends a load and does something when half of it is out. */
  async function loadWith(count: number, fault: () => Promise<void>) {
    const half = onceSent(count / 2, fault);
    const load = await sendReports({
      url: standalone.url,
      count,
      connections: CONNECTIONS,
      onProgress: half.onProgress,
    });
    await half.done;
    return load;
  }

  const answeredOnce = (load: Awaited<ReturnType<typeof sendReports>>) =>
    expectExactlyOnce(load, (sql) => standalone.rows(sql));
});
