import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { ClickHouseEndpoint } from "@push-reports/test-support";

const ROOT = fileURLToPath(new URL("../../../..", import.meta.url));
const run = promisify(execFile);

/** The repository's docker-compose.yml under a project name of the tests' own, so that no one's volumes are touched. */
export class ComposeProject {
  readonly #name: string;
  readonly #profiles: readonly string[];

  constructor(name: string, profiles: readonly string[] = []) {
    this.#name = name;
    this.#profiles = profiles;
  }

  /** Runs `docker compose …`. @throws Error with its output when it fails. */
  async compose(...args: readonly string[]): Promise<string> {
    const profiles = this.#profiles.flatMap((profile) => ["--profile", profile]);
    const { stdout } = await run("docker", ["compose", "-p", this.#name, ...profiles, ...args], {
      cwd: ROOT,
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout;
  }

  /** Kills one container of a service that has several, numbered from 1. */
  async killOne(service: string, index: number): Promise<void> {
    await run("docker", ["kill", `${this.#name}-${service}-${index}`]);
  }

  /** How the stopped container of a service ended; null while it runs. */
  async exitCode(service: string): Promise<number | null> {
    const id = (await this.compose("ps", "--all", "--quiet", service)).trim();
    const { stdout } = await run("docker", ["inspect", "--format", "{{json .State}}", id]);
    const state = JSON.parse(stdout) as { Running: boolean; ExitCode: number };
    return state.Running ? null : state.ExitCode;
  }

  /** ClickHouse as published on this machine, with the account that compose gives it. */
  clickHouse(): ClickHouseEndpoint {
    const file = [".env", ".env.example"].map((name) => join(ROOT, name)).find(existsSync) ?? "";
    const account = Object.fromEntries(
      readFileSync(file, "utf8")
        .split("\n")
        .map((line) => /^(\w+)=(.*)$/.exec(line))
        .flatMap((match) => (match === null ? [] : [[match[1], match[2]]])),
    ) as Readonly<Record<string, string>>;
    return {
      url: "http://127.0.0.1:8123",
      user: account["CLICKHOUSE_USER"] ?? "",
      password: account["CLICKHOUSE_PASSWORD"] ?? "",
      database: "push_reports",
    };
  }
}
