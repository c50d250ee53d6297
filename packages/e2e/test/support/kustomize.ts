import { execFile, spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { parseAllDocuments } from "yaml";

const ROOT = fileURLToPath(new URL("../../../..", import.meta.url));
/** The folder of all manifests. */
export const K8S = join(ROOT, "k8s");
const MODULE = "sigs.k8s.io/kustomize/kustomize/v5@v5.8.1";
const CACHE = join(ROOT, "node_modules", ".cache", "kustomize-v5.8.1");

const run = promisify(execFile);
const answers = (command: string, ...args: readonly string[]) =>
  spawnSync(command, args, { stdio: "ignore" }).status === 0;

/** Any Kubernetes object. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly [key: string]: unknown;
}

/**
 * The command that builds a kustomization: `kustomize` or `kubectl` where one is installed, else kustomize as Go makes it from its
 * module. Null where nothing can.
 */
export async function findKustomize(): Promise<readonly string[] | null> {
  if (answers("kustomize", "version")) return ["kustomize", "build"];
  if (answers("kubectl", "kustomize", "--help")) return ["kubectl", "kustomize"];
  const made = join(CACHE, "kustomize");
  if (existsSync(made)) return [made, "build"];
  if (!answers("go", "version")) return null;
  mkdirSync(CACHE, { recursive: true });
  await run("go", ["install", MODULE], { env: { ...process.env, GOBIN: CACHE } });
  return [made, "build"];
}

/** What `kubectl apply -k` would apply. @param folder below k8s/ */
export async function buildManifests(
  [command = "", ...args]: readonly string[],
  folder: string,
): Promise<readonly Manifest[]> {
  const { stdout } = await run(command, [...args, join(K8S, folder)], {
    maxBuffer: 16 * 1024 * 1024,
  });
  return readManifests(stdout);
}

/** Every document of a YAML text. */
export function readManifests(text: string): readonly Manifest[] {
  return parseAllDocuments(text, { merge: true })
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest) => manifest !== null);
}
