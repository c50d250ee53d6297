import { CANARY_OPTION_GROUPS } from "@push-reports/canary";
import { CONSUMER_OPTION_GROUPS, MIGRATE_OPTION_GROUPS } from "@push-reports/consumer";
import { DOCTOR_OPTION_GROUPS } from "@push-reports/doctor";
import { DRAIN_OPTION_GROUPS, GATEWAY_OPTION_GROUPS } from "@push-reports/gateway";
import { INSIGHTS_OPTION_GROUPS } from "@push-reports/insights";
import type { Option } from "@push-reports/service-kit";
import { buildManifests, findKustomize, type Manifest } from "./kustomize.js";

/** What is applied before a roll-out, and then. */
export const OVERLAYS = [
  ["development/before", "development"],
  ["production/before", "production"],
  ["production/before", "production-with-spill"],
] as const;
/** The Job that k8s/drain-spill applies. */
export const DRAIN = "../drain";

type OptionGroups = Readonly<Record<string, Readonly<Record<string, Option<unknown>>>>>;
/** What each program reads from its environment. */
export const OPTIONS: Readonly<Record<string, OptionGroups>> = {
  gateway: GATEWAY_OPTION_GROUPS,
  consumer: CONSUMER_OPTION_GROUPS,
  insights: INSIGHTS_OPTION_GROUPS,
  migrate: MIGRATE_OPTION_GROUPS,
  doctor: DOCTOR_OPTION_GROUPS,
  drain: DRAIN_OPTION_GROUPS,
  canary: CANARY_OPTION_GROUPS,
};
/** Programs that end by themselves, and listen to nobody. */
export const JOBS = ["migrate", "doctor", "drain"];

/** Every variable that a program reads. */
export const variablesOf = (program: string) =>
  Object.values(OPTIONS[program] ?? {}).flatMap((group) =>
    Object.values(group).map(({ name }) => name),
  );
/** What a variable is when it is not set. */
export const fallbackOf = (program: string, variable: string) =>
  Object.values(OPTIONS[program] ?? {})
    .flatMap((group) => Object.values(group))
    .find(({ name }) => name === variable)?.fallback;

/** A variable of a container. */
export interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly configMapKeyRef?: { readonly name: string; readonly key: string };
    readonly secretKeyRef?: { readonly optional?: boolean };
  };
}
/** What the tests read of a container. */
export interface Container {
  readonly name: string;
  readonly image: string;
  readonly args?: readonly string[];
  readonly env?: readonly Variable[];
  readonly ports?: readonly { name: string; containerPort: number }[];
  readonly volumeMounts?: readonly { name: string; mountPath: string }[];
  readonly lifecycle?: { preStop: { sleep: { seconds: number } } };
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly resources: { requests: Record<string, string>; limits: Record<string, string> };
  readonly [probe: `${string}Probe`]: { httpGet: { path: string; port: string } } | undefined;
}
/** What the tests read of a pod. */
export interface PodSpec {
  readonly terminationGracePeriodSeconds: number;
  readonly containers: readonly Container[];
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly enableServiceLinks?: boolean;
}

/** The pod that a manifest makes; null when it makes none. */
export const podOf = (manifest: Manifest): PodSpec | null =>
  (manifest["spec"] as { template?: { spec: PodSpec } } | undefined)?.template?.spec ?? null;

/** A manifest and where it is from. */
export interface Placed {
  readonly folder: string;
  readonly manifest: Manifest;
  readonly pod: PodSpec | null;
}

/** Every manifest of the overlays and of the drain, built. */
export class BuiltManifests {
  readonly #built: ReadonlyMap<string, readonly Manifest[]>;

  private constructor(built: ReadonlyMap<string, readonly Manifest[]>) {
    this.#built = built;
  }

  /** Null where nothing can build them. */
  static async build(): Promise<BuiltManifests | null> {
    const kustomize = await findKustomize();
    if (kustomize === null) return null;
    const built = new Map<string, readonly Manifest[]>();
    for (const folder of new Set([...OVERLAYS.flat(), DRAIN]))
      built.set(folder, await buildManifests(kustomize, `overlays/${folder}`));
    return new BuiltManifests(built);
  }

  /** Those of one folder. */
  in(folder: string): readonly Manifest[] {
    return this.#built.get(folder) ?? [];
  }

  /** One of them. @throws Error when there is none. */
  one(folder: string, kind: string, name: string): Manifest {
    const found = this.in(folder).find(
      (manifest) => manifest.kind === kind && manifest.metadata.name === name,
    );
    if (found === undefined) throw new Error(`${folder} has no ${kind} ${name}`);
    return found;
  }

  all(): readonly Placed[] {
    return [...this.#built].flatMap(([folder, manifests]) =>
      manifests.map((manifest) => ({ folder, manifest, pod: podOf(manifest) })),
    );
  }

  /** The containers that run our image. */
  ours(): readonly { readonly at: string; readonly container: Container; readonly pod: PodSpec }[] {
    return this.all().flatMap(({ folder, manifest, pod }) =>
      pod === null
        ? []
        : pod.containers
            .filter(({ image }) => image.includes("push-reports"))
            .map((container) => ({ at: `${folder}: ${manifest.metadata.name}`, container, pod })),
    );
  }
}

/** Says loudly that nothing was verified. */
export function sayNotBuilt(what: string): void {
  console.warn(`NOT VERIFIED: ${what} (neither kustomize nor kubectl nor Go is installed)`);
}
