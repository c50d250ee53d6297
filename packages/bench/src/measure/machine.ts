import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus, release, totalmem, type } from "node:os";
import process from "node:process";
import { CLICKHOUSE_IMAGE, KAFKA_IMAGE } from "@push-reports/test-support";

/** What figures were measured on and with. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly system: string;
  readonly versions: Readonly<Record<string, string>>;
}

const LIBRARIES = ["kafkajs", "express", "joi", "@clickhouse/client", "lmdb", "chdb"] as const;
const GIB = 1024 ** 3;

/** Looks at this machine. */
export function thisMachine(): Machine {
  const [first] = cpus();
  const libraries = LIBRARIES.map((name) => [name, versionOf(name)] as const);
  return {
    cpu: first?.model.trim() ?? "unknown",
    cores: cpus().length,
    memoryGib: Math.round(totalmem() / GIB),
    system: `${type()} ${release()}`,
    versions: {
      "Node.js": process.version.slice(1),
      Kafka: KAFKA_IMAGE,
      ClickHouse: CLICKHOUSE_IMAGE,
      ...Object.fromEntries(libraries),
      docker: dockerVersion(),
    },
  };
}

function versionOf(library: string): string {
  const require = createRequire(import.meta.url);
  for (const folder of require.resolve.paths(library) ?? []) {
    try {
      const text = readFileSync(`${folder}/${library}/package.json`, "utf8");
      return (JSON.parse(text) as { version: string }).version;
    } catch {
      // It is further up.
    }
  }
  return "not installed";
}

function dockerVersion(): string {
  try {
    return execFileSync("docker", ["version", "--format", "{{.Server.Version}}"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return "none";
  }
}
