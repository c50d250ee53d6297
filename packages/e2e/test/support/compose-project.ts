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

  constructor(name: string) {
    this.#name = name;
  }

  /** Runs `docker compose …`. @throws Error with its output when it fails. */
  async compose(...args: readonly string[]): Promise<string> {
    const { stdout } = await run("docker", ["compose", "-p", this.#name, ...args], {
      cwd: ROOT,
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout;
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
