import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { waitFor } from "@push-reports/test-support";

const ROOT = fileURLToPath(new URL("../../../..", import.meta.url));
const IMAGE = "push-reports:image-test";
const SHELL_LESS_IMAGE = "push-reports:image-test-without-shell";
const BUILD_TIMEOUT_MS = 600_000;
/** What the image adds to its base, as README.md says it. */
const MAX_ADDED_BYTES = 40 * 1024 * 1024;

/** Its commands that read from their environment where Kafka or ClickHouse are, and those that look at their arguments first. */
const CONFIGURED = [
  "gateway",
  "consumer",
  "insights",
  "migrate",
  "verify",
  "replay",
  "drain",
  "canary",
  "doctor",
];
const ASKING = ["erase", "import-publishes", "capacity"];

const exec = promisify(execFile);
const docker = (...args: readonly string[]) =>
  exec("docker", [...args], { cwd: ROOT, maxBuffer: 64 * 1024 * 1024 });

/** Runs a command of the image the way it is deployed: nothing may be written, nothing is allowed. */
const runLockedDown = async (image: string, ...args: readonly string[]) => {
  const locks = ["--rm", "--read-only", "--cap-drop=ALL", "--network=none"];
  try {
    const { stdout, stderr } = await docker("run", ...locks, image, ...args);
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, output: stdout + stderr };
  }
};

interface ImageConfig {
  readonly User: string;
  readonly Entrypoint: readonly string[];
  readonly Cmd: readonly string[];
  readonly StopSignal: string;
  readonly Healthcheck: { readonly Test: readonly string[] };
  readonly Labels: Readonly<Record<string, string>>;
}

describe("the image", () => {
  let config: ImageConfig;
  let files: readonly string[] = [];

  beforeAll(async () => {
    await docker("build", "--quiet", "--tag", IMAGE, ".");
    const { stdout } = await docker("image", "inspect", "--format", "{{json .Config}}", IMAGE);
    config = JSON.parse(stdout) as ImageConfig;
    const find = ["--rm", "--user=0", "--entrypoint=find", IMAGE, "/", "-xdev"];
    files = (await docker("run", ...find)).stdout.split("\n").filter((path) => path !== "");
  }, BUILD_TIMEOUT_MS);

  afterAll(async () => {
    await docker("image", "rm", "--force", SHELL_LESS_IMAGE, IMAGE);
  });

  it("runs as a numbered user who is not root, stops on SIGTERM and says what it is", () => {
    expect(config.User).toBe("1000:1000");
    expect(config.StopSignal).toBe("SIGTERM");
    const titles = ["title", "description", "licenses", "version", "revision", "created"];
    for (const title of titles)
      expect(config.Labels[`org.opencontainers.image.${title}`]).toMatch(/./);
  });

  it("holds no development dependency", () => {
    const lock = JSON.parse(readFileSync(`${ROOT}/package-lock.json`, "utf8")) as {
      packages: Record<string, { dev?: boolean; devOptional?: boolean }>;
    };
    const development = Object.entries(lock.packages)
      .filter(([, { dev, devOptional }]) => dev || devOptional)
      .map(([path]) => `/app/${path}`);
    const present = new Set(files);

    expect(development.length).toBeGreaterThan(50);
    expect(development.filter((path) => present.has(path))).toEqual([]);
  });

  it.each([
    ["the standalone's database engine", /\/node_modules\/(@chdb|chdb)(\/|$)/],
    ["tests", /^\/app\/packages\/[^/]+\/test(\/|$)|^\/app\/(?!node_modules).*\.test\./],
    [
      "packages for tests",
      /^\/app\/(packages|node_modules\/@push-reports)\/(test-support|e2e|bench|standalone)(\/|$)/,
    ],
    ["sources", /^\/app\/packages\/.*\.(ts|map|tsbuildinfo)$|^\/app\/packages\/[^/]+\/src(\/|$)/],
    ["npm, its cache or another installer", /\/(npm|npx|yarn|corepack|\.npm|_cacache)$/],
    ["secrets or history", /^\/app\/(\.env|\.git|\.npmrc)/],
  ])("holds no %s", (_, pattern) => {
    expect(files.filter((path) => pattern.test(path))).toEqual([]);
  });

  it("adds no more to its base than README.md says", async () => {
    const { stdout } = await docker("history", "--human=false", "--format={{json .}}", IMAGE);
    const layers = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { Size: string; CreatedBy: string });
    const base = layers.findIndex(({ CreatedBy }) => /CMD \["node"\]/.test(CreatedBy));
    const added = layers.slice(0, base).reduce((sum, { Size }) => sum + Number(Size), 0);
    console.info(`image: ${(added / 1024 / 1024).toFixed(1)} MiB beyond its base`);

    expect(base).toBeGreaterThan(0);
    expect(added).toBeLessThan(MAX_ADDED_BYTES);
    expect(readFileSync(`${ROOT}/README.md`, "utf8")).toContain(
      `less than ${MAX_ADDED_BYTES / 1024 / 1024} MiB`,
    );
  });

  it("names its commands when it is given none that it knows", async () => {
    const { code, output } = await runLockedDown(IMAGE, "no-such-command");

    expect(code).toBe(2);
    const named = output.trim().replace(/^Name one command: /, "");
    expect(new Set(named.split(", "))).toEqual(new Set([...CONFIGURED, ...ASKING]));
  });

  it.each(CONFIGURED)(
    "starts %s on a read-only root without capabilities: it reads its configuration and names the faults",
    async (command) => {
      const { code, output } = await runLockedDown(IMAGE, command);

      expect(code).not.toBe(0);
      expect(output).toMatch(/(KAFKA_BROKERS|CLICKHOUSE_URL) is not set/);
      expect(output).not.toMatch(/Cannot find|EROFS|at file:/);
    },
  );

  it(
    "needs no shell: without any, the gateway becomes ready by its own health check",
    async () => {
      const dockerfile = `FROM ${IMAGE}\nUSER 0\nRUN ["/bin/rm", "-f", "/bin/sh", "/bin/dash", "/bin/bash"]\nUSER 1000:1000\n`;
      const building = docker("build", "--quiet", "--tag", SHELL_LESS_IMAGE, "-");
      building.child.stdin?.end(dockerfile);
      await building;
      const locks = ["--read-only", "--cap-drop=ALL", "--env=KAFKA_BROKERS=127.0.0.1:1"];
      const id = (await docker("run", "--detach", ...locks, SHELL_LESS_IMAGE)).stdout.trim();
      try {
        const state = async () =>
          (await docker("inspect", "--format={{.State.Health.Status}}", id)).stdout.trim();
        await waitFor(async () => (await state()) !== "starting", {
          what: "the first result of the health check",
          timeoutMs: 120_000,
        });

        expect(await state()).toBe("healthy");
        await expect(docker("exec", id, "sh", "-c", "true")).rejects.toThrow();
      } finally {
        await docker("rm", "--force", id);
      }
    },
    BUILD_TIMEOUT_MS,
  );
});
