import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "@jest/globals";
import { sendReports, waitFor } from "@push-reports/test-support";
import { StandaloneDeployment } from "../support/standalone-deployment.js";

const CALLS = "openat,write,writev,pwrite64,pwritev,fdatasync,fsync,rename,renameat,renameat2";

/** strace may be installed and still not be allowed to trace. */
const canTrace = spawnSync("strace", ["-o", "/dev/null", "true"]).status === 0;
if (!canTrace)
  process.stderr.write(
    "SKIPPED: no strace here, so it was not verified that standalone syncs before it answers, and rows before it forgets records\n",
  );

describe("Standalone's system calls", () => {
  let standalone: StandaloneDeployment | null = null;
  afterEach(() => standalone?.dispose());

  (canTrace ? it : it.skip)(
    "sync a report before it is answered, and its row before its record is given up",
    async () => {
      standalone = await StandaloneDeployment.create();
      const { dataDir } = standalone;
      const trace = join(dataDir, "trace");
      await standalone.run({
        wrapper: ["strace", "-D", "-f", "-y", "-s", "8192", "-e", `trace=${CALLS}`, "-o", trace],
      });
      const load = await sendReports({ url: standalone.url, count: 1, connections: 1 });
      const [sent] = load.reports;
      expect(sent?.status).toBe(200);
      const rows = () => standalone?.rows("SELECT 1 FROM ledger") ?? [];
      await waitFor(async () => (await rows()).length === 1, {
        what: "the row",
        timeoutMs: 60_000,
      });
      const [table] = await standalone.rows<{ paths: readonly string[] }>(
        "SELECT data_paths AS paths FROM system.tables WHERE database = 'push_reports' AND name = 'reports'",
      );
      // Other tables sync as well: only where this one keeps its parts counts.
      const folder = /store\/[0-9a-f]{3}\/[0-9a-f-]{36}\//.exec(table?.paths[0] ?? "")?.[0];
      if (folder === undefined) throw new Error(`reports has its parts at ${table?.paths}`);
      expect(await standalone.end("SIGTERM")).toMatchObject({ stderr: "" });

      // The tracer writes its last lines after the process that it watched is gone.
      const whole = await waitFor(
        async () => /exited with 0 \+\+\+\s*$/.exec(await readFile(trace, "utf8"))?.input,
        { what: "the end of the trace", timeoutMs: 30_000 },
      );
      const lines = whole.split("\n");
      const find = (what: string, from: number, pattern: RegExp) => {
        const at = lines.findIndex((line, index) => index > from && pattern.test(line));
        if (at === -1) throw new Error(`The trace shows no ${what}`);
        return at;
      };
      const record = find(
        "write of the record",
        -1,
        new RegExp(`(pwrite64|writev)\\(.*log/data\\.mdb.*${sent?.deviceId}`),
      );
      const synced = find(
        "sync of the log",
        record,
        /fdatasync\(.*log\/data\.mdb>\)?.*(= 0|unfinished)/,
      );
      // LMDB's description of its file makes the transaction valid; it is written through a descriptor opened with O_DSYNC.
      const valid = find(
        "valid transaction",
        synced,
        /pwrite64\(\d+<[^>]*log\/data\.mdb>.*, 128, \d+\) = 128/,
      );
      const answered = find("answer", record, /write.*HTTP\/1\.1 200 OK/);
      expect(answered).toBeGreaterThan(valid);

      const given = find(
        "position behind the record",
        answered,
        /(pwrite64|writev)\(.*log\/data\.mdb.*\\"offset\\":1,/,
      );
      const part = find(
        "sync of the row",
        answered,
        new RegExp(`f(data)?sync\\(\\d+<[^>]*clickhouse/${folder}tmp_insert[^>]*>`),
      );
      expect(part).toBeLessThan(given);
    },
  );
});
