import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, waitFor } from "@push-reports/test-support";
import { stringify } from "yaml";
import { PROMETHEUS } from "./observability.js";

/** What Prometheus scrapes, as it and the operator would label it. */
export interface Target {
  readonly job: "gateway" | "consumer" | "canary";
  readonly namespace: string;
  /** Operations port on 127.0.0.1. */
  readonly port: number;
}

/** An alert as Prometheus holds it now. */
export interface LiveAlert {
  readonly name: string;
  readonly state: "pending" | "firing";
  readonly namespace: string;
}

/** Whether Prometheus itself is installed; Debian's package `prometheus` has it. */
export const hasPrometheus = () => spawnSync("prometheus", ["--version"]).status === 0;

/** A real Prometheus with the repository's rules as they are, on a free port of 127.0.0.1. */
export class LivePrometheus {
  readonly #url: string;
  readonly #process: ChildProcess;
  readonly #folder: string;

  private constructor(url: string, process: ChildProcess, folder: string) {
    this.#url = url;
    this.#process = process;
    this.#folder = folder;
  }

  static async start(targets: readonly Target[]): Promise<LivePrometheus> {
    const folder = await mkdtemp(join(tmpdir(), "prometheus-"));
    const jobs = [...new Set(targets.map(({ job }) => job))];
    const config = {
      global: { scrape_interval: "5s", evaluation_interval: "5s" },
      rule_files: [join(PROMETHEUS, "*.rules.yml")],
      scrape_configs: jobs.map((job) => ({
        job_name: job,
        static_configs: targets
          .filter((target) => target.job === job)
          .map(({ port, namespace }) => ({
            targets: [`127.0.0.1:${port}`],
            labels: { namespace },
          })),
      })),
    };
    await writeFile(join(folder, "prometheus.yml"), stringify(config));
    const address = `127.0.0.1:${await freePort()}`;
    const process = spawn(
      "prometheus",
      [
        `--config.file=${join(folder, "prometheus.yml")}`,
        `--storage.tsdb.path=${join(folder, "data")}`,
        `--web.listen-address=${address}`,
        "--log.level=error",
      ],
      { stdio: ["ignore", "inherit", "inherit"] },
    );
    const prometheus = new LivePrometheus(`http://${address}`, process, folder);
    await waitFor(async () => (await fetch(`http://${address}/-/ready`)).ok, {
      what: "Prometheus to be ready",
      timeoutMs: 30_000,
    });
    return prometheus;
  }

  async alerts(): Promise<readonly LiveAlert[]> {
    const answer = (await (await fetch(`${this.#url}/api/v1/alerts`)).json()) as {
      readonly data: {
        readonly alerts: readonly {
          readonly labels: Readonly<Record<string, string>>;
          readonly state: LiveAlert["state"];
        }[];
      };
    };
    return answer.data.alerts.map(({ labels, state }) => ({
      name: labels["alertname"] ?? "",
      state,
      namespace: labels["namespace"] ?? "",
    }));
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode === null) {
      this.#process.kill();
      await once(this.#process, "exit");
    }
    await rm(this.#folder, { recursive: true, force: true });
  }
}
