import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { askClickHouse, waitFor } from "@push-reports/test-support";
import {
  defineCustomResources,
  kubectl,
  kubectlWith,
  LoadInCluster,
  PortForward,
  rollOut,
  rollOutChanged,
} from "../support/cluster.js";
import { expectExactlyOnce } from "../support/exactly-once.js";
import { sayFigures } from "../support/load-figures.js";
import { OrphanedSpill } from "../support/orphaned-spill.js";
import { sampleOf, scrapeMetrics } from "../support/scrape-metrics.js";

const ROOT = fileURLToPath(new URL("../../../..", import.meta.url));
/** Reports between two things that are done to the cluster. */
const REPORTS = 10_000;
const CONNECTIONS = 64;
/** Of the topic that the development overlay makes. */
const PARTITIONS = 12;
/** Reports on the volume of a gateway that is gone. */
const ORPHANED = 300;
const MINUTE_MS = 60_000;
const run = promisify(execFile);

/**
 * On the cluster that KUBECONFIG names; it makes and removes the namespace push-reports. CLUSTER_LOAD_IMAGE is the command that hands the
 * cluster a local image, e.g. `kind load docker-image`.
 */
describe("a cluster", () => {
  let defined: readonly string[] = [];
  let clickHouse: PortForward | null = null;
  let spill: OrphanedSpill | null = null;

  const select = async <T>(sql: string): Promise<readonly T[]> => {
    clickHouse ??= await PortForward.to("clickhouse", 8123);
    const endpoint = {
      url: `http://127.0.0.1:${clickHouse.port}`,
      user: "push_reports",
      password: "only-for-trying-it-out",
      database: "push_reports",
    };
    const lines = await askClickHouse(endpoint, `${sql} FORMAT JSONEachRow`);
    return lines
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as T);
  };

  beforeAll(async () => {
    const server = await kubectl(
      "config",
      "view",
      "--minify",
      "-o",
      "jsonpath={.clusters[0].cluster.server}",
    );
    console.info(`The cluster is ${server}`);
    await run("docker", ["build", "--quiet", "--tag", "push-reports:local", "."], { cwd: ROOT });
    const [command = "", ...args] = (process.env["CLUSTER_LOAD_IMAGE"] ?? "").split(" ");
    if (command !== "") await run(command, [...args, "push-reports:local"]);
    defined = await defineCustomResources();
  }, 15 * MINUTE_MS);

  afterAll(async () => {
    clickHouse?.stop();
    await spill?.dispose();
    await kubectl("delete", "namespace", "push-reports", "--ignore-not-found", "--wait");
    await kubectl("delete", "crd", "--ignore-not-found", ...defined);
  }, 5 * MINUTE_MS);

  it(
    "takes every overlay and example in a dry run of its API server",
    async () => {
      await kubectl("apply", "-f", `${ROOT}/k8s/base/before/namespace.yaml`);
      for (const overlay of [
        "development/before",
        "development",
        "production/before",
        "production",
        "production-with-spill",
      ])
        await kubectl(
          "apply",
          "--server-side",
          "--dry-run=server",
          "-k",
          `${ROOT}/k8s/overlays/${overlay}`,
        );
      for (const example of ["strimzi-kafka", "altinity-clickhouse"])
        await kubectl("apply", "--dry-run=server", "-f", `${ROOT}/k8s/examples/${example}.yaml`);
    },
    5 * MINUTE_MS,
  );

  it(
    "brings the development overlay up under PodSecurity restricted, every pod ready",
    async () => {
      await rollOut("development");

      const pods = JSON.parse(await kubectl("-n", "push-reports", "get", "pods", "-o", "json")) as {
        items: readonly {
          metadata: { name: string };
          status: { phase: string; containerStatuses: readonly { ready: boolean }[] };
        }[];
      };
      const running = pods.items.filter(({ status }) => status.phase === "Running");
      expect(running).toHaveLength(8);
      expect(
        running.every(({ status }) => status.containerStatuses.every(({ ready }) => ready)),
      ).toBe(true);
    },
    15 * MINUTE_MS,
  );

  it(
    "keeps what runs, and says why, when doctor finds something before a roll-out",
    async () => {
      const deployment = ["-n", "push-reports", "get", "deployment/consumer", "-o"];
      const generation = () => kubectl(...deployment, "jsonpath={.metadata.generation}");
      const before = await generation();

      // The topic has 12 already, and consumers are scaled to what is asked for.
      await expect(
        rollOutChanged("development", [
          ["overlays/development/before/kustomization.yaml", "partitions=12", "partitions=13"],
          ["base/before/doctor-job.yaml", '"300"', '"5"'],
          ["base/services/consumer.yaml", "minReadySeconds: 10", "minReadySeconds: 11"],
        ]),
      ).rejects.toThrow(/FAILED\s+topic push-reports: partitions/);

      expect(await generation()).toBe(before);
      await rollOut("development");
    },
    10 * MINUTE_MS,
  );

  it("refuses a pod that runs as root", async () => {
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "root", namespace: "push-reports" },
      spec: { containers: [{ name: "root", image: "push-reports:local" }] },
    };
    await expect(
      kubectlWith(JSON.stringify(pod), "apply", "--dry-run=server", "-f", "-"),
    ).rejects.toThrow(/restricted/);
  });

  it(
    "shows the page to those who have its password, and by the canary that every partition is queryable",
    async () => {
      const page = await PortForward.to("insights", 80);
      const account = Buffer.from("analyst:only-for-trying-it-out").toString("base64");
      const open = (headers: Record<string, string>) =>
        fetch(`http://127.0.0.1:${page.port}/`, { headers });
      expect((await open({})).status).toBe(401);
      expect((await open({ authorization: `Basic ${account}` })).status).toBe(200);
      page.stop();

      const canary = await PortForward.to("canary-operations", 8084);
      const series = async (name: string) =>
        sampleOf(
          await scrapeMetrics(`http://127.0.0.1:${canary.port}/metrics`),
          `push_reports_canary_${name}`,
        );
      await waitFor(async () => (await series("queryable_seconds_count")) >= PARTITIONS, {
        what: "the canary's rows",
        timeoutMs: 2 * MINUTE_MS,
        intervalMs: 500,
      });
      expect(await series("partitions")).toBeGreaterThan(PARTITIONS / 2);
      canary.stop();
    },
    5 * MINUTE_MS,
  );

  it(
    "drains the volume that a gateway's pod left, by a Job, into one row of each report",
    async () => {
      const instanceId = randomUUID();
      spill = await OrphanedSpill.leaveBehind("gateway-0", instanceId, ORPHANED);

      const { stdout } = await run(`${ROOT}/k8s/drain-spill`, ["gateway-0"]);

      expect(stdout).toContain(`${ORPHANED} records drained`);
      expect(stdout).toContain("spill-gateway-0 is empty");
      const counts = () =>
        select<{ rows: string; devices: string }>(
          `SELECT count() AS rows, uniqExact(device_id) AS devices FROM reports WHERE instance_id = '${instanceId}'`,
        );
      await waitFor(async () => Number((await counts())[0]?.devices) === ORPHANED, {
        what: "a row of each report",
        timeoutMs: MINUTE_MS,
        intervalMs: 500,
      });
      expect(Number((await counts())[0]?.rows)).toBe(ORPHANED);
      const { stdout: again } = await run(`${ROOT}/k8s/drain-spill`, ["gateway-0"]);
      expect(again).toContain("0 records drained");
    },
    10 * MINUTE_MS,
  );

  it(
    "makes every answered report exactly one row while a consumer is killed and both services are rolled out under load",
    async () => {
      const load = await LoadInCluster.start("load", CONNECTIONS);
      const sendMore = async () => {
        const enough = (await load.sent()) + REPORTS;
        await waitFor(async () => (await load.sent()) >= enough, {
          what: `${REPORTS} more reports to be sent`,
          timeoutMs: 10 * MINUTE_MS,
          intervalMs: 500,
        });
      };

      await sendMore();
      const consumers = ["get", "pods", "-l", "app.kubernetes.io/name=consumer", "-o", "name"];
      const [consumer = ""] = (await kubectl("-n", "push-reports", ...consumers)).split("\n");
      await kubectl("-n", "push-reports", "delete", consumer, "--grace-period=0", "--force");
      await sendMore();
      const services = ["deployment/gateway", "deployment/consumer"];
      await kubectl("-n", "push-reports", "rollout", "restart", ...services);
      for (const service of services)
        await kubectl("-n", "push-reports", "rollout", "status", service, "--timeout=10m");
      await sendMore();
      await sayUse();
      const result = await load.stop();

      sayFigures("cluster, a consumer killed and both services rolled out", result);
      expect(await expectExactlyOnce(result, select)).toBeGreaterThan(3 * REPORTS);
    },
    40 * MINUTE_MS,
  );
});

/** Prints what pods use under load, for whoever sets requests and limits; a cluster need not measure it. */
async function sayUse(): Promise<void> {
  const use = await kubectl("-n", "push-reports", "top", "pods", "--no-headers").catch(String);
  console.info(`under load pods use (processor, memory):\n${use}`);
}
