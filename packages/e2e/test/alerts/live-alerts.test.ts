import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { describeWithContainers } from "@push-reports/test-support";
import { hasPrometheus, LivePrometheus } from "../support/live-prometheus.js";
import { TroubledFleet } from "../support/troubled-fleet.js";

const MINUTE_MS = 60_000;
/** Alerts that troubles of minutes provoke, and where. Each other alert needs a quarter of an hour or more, or a kubelet. */
const PROVOKED = [
  ["PushReportsSpillDamaged", "spills"],
  ["PushReportsDeadLetters", "bad"],
  ["PushReportsRecordsLost", "bad"],
  ["PushReportsProcessRestarts", "restarting"],
  ["PushReportsTooManyBadRecords", "held"],
  ["PushReportsMisconfigured", "stalled"],
  ["PushReportsSpillFills", "full"],
  ["PushReportsRefusedFast", "away"],
  ["PushReportsLateFast", "away"],
  ["PushReportsConsumerStalled", "stalled"],
  ["PushReportsSpillUnusable", "spills"],
  ["PushReportsTargetDown", "gone"],
  ["PushReportsCanaryRefused", "away"],
  ["PushReportsCanaryLate", "away"],
] as const;

const NAME = "Alerts, on a real Prometheus over real services";
if (!hasPrometheus()) {
  console.warn(`NOT VERIFIED: ${NAME} (prometheus is not installed)`);
  describe.skip(NAME, () => it("fire", () => undefined));
} else
  describeWithContainers(NAME, ["kafka", "clickhouse"], () => {
    let folder: string;
    let fleet: TroubledFleet;
    let prometheus: LivePrometheus;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "alerts-"));
      await mkdir(join(folder, "damaged", "damaged-1"), { recursive: true });
      fleet = await TroubledFleet.start(folder);
      prometheus = await LivePrometheus.start(fleet.targets);
    }, 5 * MINUTE_MS);
    afterAll(async () => {
      await prometheus?.stop();
      await fleet?.dispose();
      await rm(folder, { recursive: true, force: true });
    }, MINUTE_MS);

    /** Waits until all of them have fired at some time, since some end by themselves. */
    async function untilFired(
      wanted: readonly (readonly [string, string])[],
      timeoutMs: number,
    ): Promise<{ readonly missing: readonly string[]; readonly seen: ReadonlySet<string> }> {
      const seen = new Set<string>();
      const startedAt = Date.now();
      const missing = () =>
        wanted.map(([name, at]) => `${name} ${at}`.trim()).filter((one) => !seen.has(one));
      while (missing().length > 0 && Date.now() - startedAt < timeoutMs) {
        for (const { name, namespace, state } of await prometheus.alerts()) {
          const one = `${name} ${namespace}`.trim();
          if (state !== "firing" || seen.has(one)) continue;
          seen.add(one);
          console.info(`${Math.round((Date.now() - startedAt) / 1_000)} s: ${one}`);
        }
        await fleet.keepTroubling();
      }
      return { missing: missing(), seen };
    }

    it(
      "fire for what is wrong, where it is wrong, and not where all is well",
      async () => {
        const { missing, seen } = await untilFired(PROVOKED, 12 * MINUTE_MS);

        expect(missing).toEqual([]);
        expect([...seen].filter((one) => one.endsWith(" well"))).toEqual([]);
        const now = await prometheus.alerts();
        expect(now.filter(({ namespace }) => namespace === "well")).toEqual([]);
      },
      15 * MINUTE_MS,
    );

    it(
      "fire when every gateway and every consumer is gone",
      async () => {
        await fleet.killAll();
        const gone = [
          ["PushReportsGatewayDown", ""],
          ["PushReportsConsumerDown", ""],
        ] as const;

        expect((await untilFired(gone, 5 * MINUTE_MS)).missing).toEqual([]);
      },
      6 * MINUTE_MS,
    );
  });
