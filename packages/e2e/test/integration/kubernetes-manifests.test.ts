import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { BuiltManifests, sayNotBuilt } from "../support/built-manifests.js";
import { K8S, type Manifest, readManifests } from "../support/kustomize.js";
import { ManifestSchemas } from "../support/manifest-schemas.js";

const NAME = "the Kubernetes manifests";

const manifests = await BuiltManifests.build();
if (manifests === null) {
  sayNotBuilt(NAME);
  describe.skip(NAME, () => it("are valid", () => undefined));
} else describe(NAME, () => verify(manifests));

function verify(built: BuiltManifests): void {
  const schemas = new ManifestSchemas();

  it("are valid by Kubernetes' and the operators' schemas, without unknown fields", () => {
    expect(built.all().length).toBeGreaterThan(40);
    expect(built.all().flatMap(({ manifest }) => schemas.faultsOf(manifest))).toEqual([]);
  });

  it("refuse a field that does not exist", () => {
    const manifest: Manifest = built.one("development", "Deployment", "gateway");

    expect(schemas.faultsOf({ ...manifest, spek: {} })).toHaveLength(1);
  });

  it.each(["strimzi-kafka.yaml", "altinity-clickhouse.yaml"])("have a valid example %s", (file) => {
    const examples = readManifests(readFileSync(join(K8S, "examples", file), "utf8"));

    expect(examples.length).toBeGreaterThan(1);
    expect(examples.flatMap((manifest) => schemas.faultsOf(manifest))).toEqual([]);
  });

  it("run every pod as PodSecurity restricted asks, with requests and a limit of memory", () => {
    for (const { folder, manifest, pod } of built.all()) {
      if (pod === null) continue;
      const at = `${folder}: ${manifest.metadata.name}`;
      expect({ at, ...pod.securityContext }).toMatchObject({
        at,
        runAsNonRoot: true,
        seccompProfile: { type: "RuntimeDefault" },
      });
      for (const { securityContext, resources } of pod.containers) {
        expect({ at, ...securityContext }).toMatchObject({
          at,
          allowPrivilegeEscalation: false,
          capabilities: { drop: ["ALL"] },
        });
        expect({ at, ...resources }).toMatchObject({
          at,
          requests: { cpu: expect.any(String), memory: expect.any(String) },
          limits: { memory: expect.any(String) },
        });
      }
    }
    for (const { at, container } of built.ours())
      expect({ at, ...container.securityContext }).toMatchObject({
        at,
        readOnlyRootFilesystem: true,
      });
  });

  it("hold no secret but the sample accounts of development", () => {
    const secrets = built.all().filter(({ manifest }) => manifest.kind === "Secret");

    expect(new Set(secrets.map(({ folder }) => folder))).toEqual(new Set(["development/before"]));
    expect(new Set(secrets.map(({ manifest }) => manifest.metadata.name))).toEqual(
      new Set([
        "push-reports-clickhouse",
        "push-reports-clickhouse-reader",
        "push-reports-insights",
        "push-reports-canary",
      ]),
    );
  });

  it("let nothing in front of the gateway redirect a report or refuse its size", () => {
    const ingresses = built
      .all()
      .filter(
        ({ manifest: { kind, metadata } }) => kind === "Ingress" && metadata.name === "gateway",
      );

    expect(ingresses).toHaveLength(2);
    for (const { manifest } of ingresses) {
      const { annotations } = manifest.metadata as unknown as {
        annotations: Record<string, string>;
      };
      expect(annotations).toMatchObject({
        "nginx.ingress.kubernetes.io/ssl-redirect": "false",
        "nginx.ingress.kubernetes.io/force-ssl-redirect": "false",
        "nginx.ingress.kubernetes.io/proxy-body-size": "0",
        "nginx.ingress.kubernetes.io/proxy-next-upstream": "error",
      });
    }
  });

  it("scale no gateway that has a disk", () => {
    const kinds = built
      .in("production-with-spill")
      .map(({ kind, metadata }) => `${kind} ${metadata.name}`);

    expect(kinds).toContain("StatefulSet gateway");
    expect(kinds).not.toContain("Deployment gateway");
    expect(kinds).not.toContain("HorizontalPodAutoscaler gateway");
  });

  it("scale consumers to no more than there are partitions", () => {
    const topics = built.one("production/before", "ConfigMap", "push-reports-topics");
    const { partitions } = topics["data"] as { partitions: string };

    expect(built.one("production", "ScaledObject", "consumer")["spec"]).toMatchObject({
      minReplicaCount: 1,
      maxReplicaCount: Number(partitions),
    });
  });
}
