import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv, type ValidateFunction } from "ajv";
import { K8S, type Manifest } from "./kustomize.js";

type Schema = Readonly<Record<string, unknown>>;

/** One kind that is not Kubernetes' own, as k8s/schemas holds it. */
export interface CustomResource {
  readonly group: string;
  readonly version: string;
  readonly names: { readonly kind: string; readonly plural: string };
  readonly scope: string;
  readonly schema: Schema;
}

interface BuiltInKinds {
  readonly kinds: Readonly<Record<string, string>>;
  readonly $defs: Readonly<Record<string, Schema>>;
}

const FOLDER = join(K8S, "schemas");
const read = <T>(file: string) => JSON.parse(readFileSync(join(FOLDER, file), "utf8")) as T;

/** Every kind that is not Kubernetes' own. */
export function customResources(): readonly CustomResource[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith(".json") && file !== "kubernetes.json")
    .flatMap((file) => read<readonly CustomResource[]>(file));
}

/** Judges manifests by the schemas of k8s/schemas; a field that a schema does not know is a fault. */
export class ManifestSchemas {
  readonly #validators: ReadonlyMap<string, ValidateFunction>;

  constructor() {
    const ajv = new Ajv({ strict: false, allErrors: true });
    const { kinds, $defs } = read<BuiltInKinds>("kubernetes.json");
    const builtIn = Object.entries(kinds).map(
      ([kind, $ref]) => [kind, ajv.compile({ $ref, $defs })] as const,
    );
    const custom = customResources().map(
      ({ group, version, names, schema }) =>
        [`${group}/${version}/${names.kind}`, ajv.compile(customSchema(schema))] as const,
    );
    this.#validators = new Map([...builtIn, ...custom]);
  }

  /** What is wrong with a manifest, one sentence a fault. */
  faultsOf(manifest: Manifest): readonly string[] {
    const kind = `${manifest.apiVersion}/${manifest.kind}`;
    const validate = this.#validators.get(kind);
    if (validate === undefined) return [`k8s/schemas has no schema of ${kind}`];
    const isValid: boolean = validate(manifest as unknown);
    if (isValid) return [];
    return (validate.errors ?? []).map(
      ({ instancePath, message, params }) =>
        `${kind} ${manifest.metadata.name}${instancePath} ${message} ${JSON.stringify(params)}`,
    );
  }
}

function customSchema(schema: Schema): Schema {
  const strict = refuseUnknown(schema);
  const properties = strict["properties"] as Schema;
  return { ...strict, properties: { ...properties, metadata: true, apiVersion: true, kind: true } };
}

/** An object that lists its fields has no others, unless it says that it keeps unknown ones. */
function refuseUnknown(schema: Schema): Schema {
  const inner = Object.fromEntries(
    Object.entries(schema)
      // A flag within a pattern is Go's, and JavaScript cannot read it.
      .filter(([key, value]) => !(key === "pattern" && String(value).includes("(?i)")))
      .map(([key, value]) => [key, inside(key, value)]),
  );
  const isOpen =
    schema["properties"] === undefined || schema["x-kubernetes-preserve-unknown-fields"] === true;
  return isOpen || schema["additionalProperties"] !== undefined
    ? inner
    : { ...inner, additionalProperties: false };
}

function inside(key: string, value: unknown): unknown {
  if (key === "enum" || key === "required" || value === null || typeof value !== "object")
    return value;
  if (key === "properties")
    return Object.fromEntries(
      Object.entries(value as Schema).map(([name, of]) => [name, refuseUnknown(of as Schema)]),
    );
  // Branches of anyOf and the like only add conditions to fields that are listed elsewhere.
  if (Array.isArray(value)) return value;
  return refuseUnknown(value as Schema);
}
