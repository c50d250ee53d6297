import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "@jest/globals";
import { sendReports, waitFor } from "@push-reports/test-support";
import { StandaloneDeployment } from "../support/standalone-deployment.js";

/** Renames of one range's insert, in the thread that makes it: into `reports` and its roll-ups. */
const RENAMES = [1, 2, 3, 4];

/** strace may be installed and still not be allowed to trace. */
const canTrace = spawnSync("strace", ["-o", "/dev/null", "true"]).status === 0;
if (!canTrace)
  process.stderr.write(
    "SKIPPED: no strace here, so it was not verified that a kill in the middle of an insert loses no answered report\n",
  );

describe("Standalone, killed when its engine has written an insert's token down and not yet its rows,", () => {
  let standalone: StandaloneDeployment | null = null;
  afterEach(() => standalone?.dispose());

  (canTrace ? it : it.skip).each(RENAMES)(
    "has one row of an answered report, in every view, and booked: at rename %i",
    async (nth) => {
      const made = await StandaloneDeployment.create({ MAX_DELAY_MS: "200" });
      standalone = made;
      // Tables are made first: the renames that are counted are those of inserts.
      await made.run();
      await made.end("SIGTERM");
      const trace = join(made.dataDir, "trace");
      const kill = `inject=rename:error=EIO:signal=SIGKILL:when=${nth}`;
      const killed = await made.run({
        wrapper: ["strace", "-f", "-qq", "-e", "trace=rename", "-e", kill, "-o", trace],
      });
      const load = await sendReports({ url: made.url, count: 1, connections: 1 });
      expect(load.reports.map(({ status }) => status)).toEqual([200]);
      await killed.ended;
      // It did not return from putting a part into place.
      expect(await readFile(trace, "utf8")).toMatch(
        /rename\(".*\/tmp_insert_.* (= \?|<unfinished)/,
      );

      await made.run();
      const count = async (what: string) => {
        const rows = await made.rows<{ n: number }>(
          `SELECT toUInt32(count()) AS n FROM push_reports.${what}`,
        );
        return rows[0]?.n;
      };
      await waitFor(async () => (await count("ledger")) === 1, {
        what: "the range to be booked",
        timeoutMs: 60_000,
      });
      const tables = [
        "reports",
        "notification_facts",
        "publish_activity FINAL",
        "instance_hours FINAL",
      ];
      expect(await Promise.all(tables.map(count))).toEqual([1, 1, 1, 1]);
      expect(
        await made.rows("SELECT toUInt32(sum(rows)) AS rows FROM push_reports.ledger"),
      ).toEqual([{ rows: 1 }]);
    },
  );
});
