import { type ChildProcess, execFile, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type LoadResult, waitFor } from "@push-reports/test-support";
import { K8S } from "./kustomize.js";
import { customResources } from "./manifest-schemas.js";

const run = promisify(execFile);
const BUFFER = { maxBuffer: 64 * 1024 * 1024 };
/** The load generator of the tests, which needs nothing but Node.js. */
const LOAD_SOURCE = fileURLToPath(
  new URL("../../../test-support/dist/send-reports.js", import.meta.url),
);
const NAMESPACE = "push-reports";

/** Runs `kubectl …` on the cluster that KUBECONFIG names. @throws Error with its output when it fails. */
export async function kubectl(...args: readonly string[]): Promise<string> {
  return (await run("kubectl", [...args], BUFFER)).stdout;
}

/** The same, with something on its standard input. */
export async function kubectlWith(input: string, ...args: readonly string[]): Promise<string> {
  const running = run("kubectl", [...args], BUFFER);
  running.child.stdin?.end(input);
  return (await running).stdout;
}

/** Rolls an overlay out as people do. */
export async function rollOut(overlay: string): Promise<void> {
  await run(join(K8S, "roll-out"), [overlay], BUFFER);
}

/** Rolls a changed copy of an overlay out. @param changes file below k8s/, a text in it, and what stands in its place. */
export async function rollOutChanged(
  overlay: string,
  changes: readonly (readonly [file: string, from: string, to: string])[],
): Promise<void> {
  const copy = await mkdtemp(join(tmpdir(), "k8s-"));
  try {
    await cp(K8S, copy, { recursive: true });
    for (const [file, from, to] of changes) {
      const text = await readFile(join(copy, file), "utf8");
      if (!text.includes(from)) throw new Error(`${file} has no ${from}`);
      await writeFile(join(copy, file), text.replace(from, to));
    }
    await run(join(copy, "roll-out"), [overlay], BUFFER);
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

/** Makes the operators' kinds known to the API server, without the operators. @returns the names of the definitions. */
export async function defineCustomResources(): Promise<readonly string[]> {
  const definitions = customResources().map(({ group, version, names, scope, schema }) => ({
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${names.plural}.${group}` },
    spec: {
      group,
      names,
      scope,
      versions: [
        { name: version, served: true, storage: true, schema: { openAPIV3Schema: schema } },
      ],
    },
  }));
  const list = { apiVersion: "v1", kind: "List", items: definitions };
  await kubectlWith(JSON.stringify(list), "apply", "--server-side", "-f", "-");
  const names = definitions.map(({ metadata }) => metadata.name);
  const crds = names.map((name) => `crd/${name}`);
  await kubectl("wait", "--for=condition=Established", "--timeout=60s", ...crds);
  return names;
}

/** A port of this machine that leads to a service, until `stop`. */
export class PortForward {
  readonly port: number;
  readonly #process: ChildProcess;

  private constructor(port: number, process: ChildProcess) {
    this.port = port;
    this.#process = process;
  }

  static async to(service: string, port: number): Promise<PortForward> {
    const args = ["-n", NAMESPACE, "port-forward", `service/${service}`, `:${port}`];
    const process = spawn("kubectl", args, { stdio: ["ignore", "pipe", "inherit"] });
    for await (const line of createInterface({ input: process.stdout })) {
      const [, local] = /Forwarding from 127\.0\.0\.1:(\d+)/.exec(line) ?? [];
      if (local !== undefined) return new PortForward(Number(local), process);
    }
    throw new Error(`kubectl port-forward to ${service} ended`);
  }

  stop(): void {
    this.#process.kill();
  }
}

/** A load that runs in the cluster until it is stopped, so that it reaches the gateways as others do: through their Service. */
export class LoadInCluster {
  readonly #name: string;

  private constructor(name: string) {
    this.#name = name;
  }

  static async start(name: string, connections: number): Promise<LoadInCluster> {
    const files = {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name, namespace: NAMESPACE },
      data: {
        "send-reports.js": readFileSync(LOAD_SOURCE, "utf8"),
        "main.js": mainOf(connections),
        "package.json": '{"type":"module"}',
      },
    };
    const list = { apiVersion: "v1", kind: "List", items: [files, podOf(name)] };
    await kubectlWith(JSON.stringify(list), "apply", "-f", "-");
    const ready = ["--for=condition=Ready", "--timeout=120s", `pod/${name}`];
    await kubectl("-n", NAMESPACE, "wait", ...ready);
    return new LoadInCluster(name);
  }

  /** Reports sent so far, in thousands. */
  async sent(): Promise<number> {
    const log = await kubectl("-n", NAMESPACE, "logs", this.#name, "--tail=1");
    return Number(/^sent (\d+)/.exec(log)?.[1] ?? 0);
  }

  /** Ends the load and gives what became of every report. */
  async stop(): Promise<LoadResult> {
    await this.#run("process.kill(1, 'SIGUSR2')");
    await waitFor(
      async () =>
        (await this.#run("console.log(fs.existsSync('/tmp/load.json'))")).includes("true"),
      {
        what: "the load to end",
        timeoutMs: 60_000,
        intervalMs: 500,
      },
    );
    return JSON.parse(
      await this.#run("process.stdout.write(fs.readFileSync('/tmp/load.json'))"),
    ) as LoadResult;
  }

  #run(program: string): Promise<string> {
    return kubectl("-n", NAMESPACE, "exec", this.#name, "--", "node", "-e", program);
  }
}

const mainOf = (connections: number) => `
import { renameSync, writeFileSync } from "node:fs";
import { sendReports } from "./send-reports.js";
const stop = new AbortController();
process.on("SIGUSR2", () => stop.abort());
const load = await sendReports({
  url: "http://gateway",
  count: 1_000_000,
  connections: ${connections},
  signal: stop.signal,
  onProgress: (sent) => { if (sent % 1000 === 0) console.log("sent " + sent); },
});
writeFileSync("/tmp/writing.json", JSON.stringify(load));
renameSync("/tmp/writing.json", "/tmp/load.json");
setInterval(() => {}, 1000);
`;

function podOf(name: string): unknown {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: NAMESPACE },
    spec: {
      restartPolicy: "Never",
      automountServiceAccountToken: false,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 1000,
        seccompProfile: { type: "RuntimeDefault" },
      },
      containers: [
        {
          name: "load",
          image: "push-reports:local",
          imagePullPolicy: "IfNotPresent",
          command: ["node", "/load/main.js"],
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ["ALL"] },
          },
          volumeMounts: [
            { name: "load", mountPath: "/load", readOnly: true },
            { name: "tmp", mountPath: "/tmp" },
          ],
        },
      ],
      volumes: [
        { name: "load", configMap: { name } },
        { name: "tmp", emptyDir: {} },
      ],
    },
  };
}
