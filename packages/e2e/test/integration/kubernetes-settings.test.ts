import { readFileSync } from "node:fs";
import { describe, expect, it } from "@jest/globals";
import { checkLimits, DOCTOR_OPTION_GROUPS } from "@push-reports/doctor";
import { stopRestMs } from "@push-reports/gateway";
import { readConfigGroups } from "@push-reports/service-kit";
import {
  BuiltManifests,
  type Container,
  DRAIN,
  fallbackOf,
  JOBS,
  OPTIONS,
  OVERLAYS,
  podOf,
  sayNotBuilt,
  variablesOf,
} from "../support/built-manifests.js";

const NAME = "the manifests' settings";
/** Optional references to secrets, which a program may not need. */
const ACCOUNT = /_(USER|USERNAME|PASSWORD)$/;

type Labels = Readonly<Record<string, string>>;
const isWithin = (selector: Labels, labels: Labels) =>
  Object.entries(selector).every(([name, value]) => labels[name] === value);

const manifests = await BuiltManifests.build();
if (manifests === null) {
  sayNotBuilt(NAME);
  describe.skip(NAME, () => it("are what programs read", () => undefined));
} else describe(NAME, () => verify(manifests));

function verify(built: BuiltManifests): void {
  const dataOf = (folder: string, name: string) =>
    built.one(folder, "ConfigMap", name)["data"] as Readonly<Record<string, string>>;
  const services = () =>
    built.ours().filter(({ container }) => !JOBS.includes(container.args?.[0] ?? ""));

  it("are variables that the program reads that they are given to", () => {
    expect(built.ours().length).toBeGreaterThanOrEqual(14);
    for (const { at, container } of built.ours()) {
      const known = new Set(variablesOf(container.args?.[0] ?? ""));
      const unknown = (container.env ?? []).filter(
        ({ name }) => !known.has(name) && !ACCOUNT.test(name),
      );
      expect({ at, unknown }).toEqual({ at, unknown: [] });
    }
  });

  it("are read by some program where they are shared, and all there that must be set", () => {
    const known = new Set(Object.keys(OPTIONS).flatMap(variablesOf));
    for (const folder of ["development/before", "production/before"]) {
      const names = Object.keys(dataOf(folder, "push-reports"));
      expect(names.filter((name) => !known.has(name))).toEqual([]);
      expect(names).toEqual(expect.arrayContaining(["KAFKA_BROKERS", "CLICKHOUSE_URL"]));
    }
  });

  it("probe /livez and /readyz on the port that the program serves them on", () => {
    for (const { at, container } of services()) {
      const probes = ["startupProbe", "livenessProbe", "readinessProbe"] as const;
      const paths = probes.map((probe) => container[probe]?.httpGet);
      const port = container.ports?.find(({ name }) => name === "operations")?.containerPort;
      expect({ at, paths }).toEqual({
        at,
        paths: ["/livez", "/livez", "/readyz"].map((path) => ({ path, port: "operations" })),
      });
      expect({ at, port }).toEqual({
        at,
        port: fallbackOf(container.args?.[0] ?? "", "OPERATIONS_PORT"),
      });
    }
  });

  it("give a pod longer to end than its program takes, and that longer than its longest work", () => {
    for (const { at, container, pod } of services()) {
      const program = container.args?.[0] ?? "";
      const value = (name: string) =>
        Number(
          container.env?.find((variable) => variable.name === name)?.value ??
            fallbackOf(program, name),
        );
      const stopMs = value("SHUTDOWN_TIMEOUT_MS");
      const preStopMs = (container.lifecycle?.preStop.sleep.seconds ?? 0) * 1_000;
      const graceMs = pod.terminationGracePeriodSeconds * 1_000;
      expect({ at, isLonger: graceMs > preStopMs + stopMs }).toEqual({ at, isLonger: true });
      const needs: Readonly<Record<string, () => number>> = {
        gateway: () =>
          stopMs -
          stopRestMs({
            shutdownDelayMs: value("SHUTDOWN_DELAY_MS"),
            answerDeadlineMs: value("ANSWER_DEADLINE_MS"),
            shutdownTimeoutMs: stopMs,
          }),
        // The consumer spends 70 % of its stop on the inserts under way.
        consumer: () => value("INSERT_TIMEOUT_MS") / 0.7,
        // A report under way is broken off.
        canary: () => 1_000,
        insights: () => value("INSIGHTS_QUESTION_TIMEOUT_SECS") * 1_000,
      };
      expect({ at, isEnough: stopMs > Number(needs[program]?.()) }).toEqual({ at, isEnough: true });
    }
  });

  it.each(OVERLAYS)("have limits that doctor finds no fault with: %s and %s", (before, after) => {
    const environmentOf = ({ env = [] }: Container) =>
      Object.fromEntries(
        env.map(({ name, value, valueFrom }) => {
          const { configMapKeyRef, secretKeyRef } = valueFrom ?? {};
          const { name: map, key = "" } = configMapKeyRef ?? {};
          const fromMap = map === undefined ? undefined : dataOf(before, map)[key];
          // Secrets that may be missing are those of Kafka, which wants them where it has a mechanism.
          const isThere =
            secretKeyRef !== undefined &&
            (secretKeyRef.optional !== true ||
              dataOf(before, "push-reports")["KAFKA_SASL_MECHANISM"] !== undefined);
          return [name, value ?? fromMap ?? (isThere ? "of-a-secret" : undefined)];
        }),
      );
    const podOfOne = (folder: string, kind: string, name: string) =>
      podOf(built.one(folder, kind, name));
    const consumer = podOfOne(after, "Deployment", "consumer");
    const [ofConsumer, ofDoctor] = [consumer, podOfOne(before, "Job", "doctor")].map((pod) =>
      environmentOf(pod?.containers[0] as Container),
    );
    const environment = { ...dataOf(before, "push-reports"), ...ofDoctor };

    expect(ofDoctor).toMatchObject({
      TERMINATION_GRACE_PERIOD_SECONDS: String(consumer?.terminationGracePeriodSeconds),
      INSERT_TIMEOUT_MS: ofConsumer?.["INSERT_TIMEOUT_MS"],
      SHUTDOWN_TIMEOUT_MS: ofConsumer?.["SHUTDOWN_TIMEOUT_MS"],
    });
    const findings = checkLimits(
      readConfigGroups(DOCTOR_OPTION_GROUPS, environment, () => ""),
      null,
    );
    expect(findings).toHaveLength(2);
    expect(findings.filter(({ status }) => status !== "ok")).toEqual([]);
  });

  it("let a volume be drained as the gateway that it was taken from would", () => {
    const gateway = podOf(built.one("production-with-spill", "StatefulSet", "gateway"))
      ?.containers[0];
    const drain = podOf(built.one(DRAIN, "Job", "drain-gateway-0"))?.containers[0];
    const spillOf = (container: Container | undefined) => ({
      variables: container?.env?.filter(({ name }) => name.startsWith("SPILL_")),
      mounts: container?.volumeMounts,
    });

    expect(spillOf(drain).variables).toHaveLength(2);
    expect(spillOf(drain)).toEqual(spillOf(gateway));
  });

  it("give consumers the memory that the bench saw them use, and room beyond", () => {
    const bench = JSON.parse(
      readFileSync(new URL("../../../../docs/performance.json", import.meta.url), "utf8"),
    ) as { consumer: { figures: readonly { what: string; measured: { median: number } }[] } };
    const most = bench.consumer.figures.find(({ what }) => what.includes("resident memory"));
    const consumer = podOf(built.one("production", "Deployment", "consumer"))?.containers[0];
    const mebibytes = (text: string | undefined) =>
      Number.parseFloat(text ?? "") * (text?.endsWith("Gi") === true ? 1_024 : 1);
    const median = Number(most?.measured.median);

    expect(median).toBeGreaterThan(100);
    expect(mebibytes(consumer?.resources.requests["memory"])).toBeGreaterThan(0.8 * median);
    expect(mebibytes(consumer?.resources.limits["memory"])).toBeGreaterThan(1.3 * median);
  });

  it("lead every Service to pods that are there, by ports that they have", () => {
    for (const [before, after] of OVERLAYS) {
      const applied = [...built.in(before), ...built.in(after)];
      const pods = applied.flatMap((manifest) => {
        const { template } = (manifest["spec"] ?? {}) as {
          template?: { metadata?: { labels: Labels } };
        };
        const containers = podOf(manifest)?.containers ?? [];
        const ports = containers.flatMap((container) => container.ports ?? []);
        return containers.length === 0 ? [] : [{ labels: template?.metadata?.labels ?? {}, ports }];
      });
      for (const { kind, metadata, spec } of applied) {
        if (kind !== "Service") continue;
        const { selector, ports } = spec as {
          selector: Labels;
          ports: readonly { targetPort: string }[];
        };
        const chosen = pods.filter(({ labels }) => isWithin(selector, labels));
        const names = chosen.flatMap((pod) => pod.ports.map(({ name }) => name));
        const unknown = ports.filter(({ targetPort }) => !names.includes(targetPort));
        expect({ after, service: metadata.name, pods: chosen.length, unknown }).toEqual({
          after,
          service: metadata.name,
          pods: 1,
          unknown: [],
        });
      }
    }
  });

  it.each([
    ["kafka-is-reached", "KAFKA_BROKERS", ["topics"]],
    ["clickhouse-is-reached", "CLICKHOUSE_URL", []],
  ])("let exactly the programs out that need it: %s", (policy, variable, others) => {
    const programs = Object.keys(OPTIONS).filter((name) => variablesOf(name).includes(variable));
    for (const folder of ["development/before", "production/before"]) {
      const spec = built.one(folder, "NetworkPolicy", policy)["spec"] as {
        podSelector: { matchExpressions: readonly { values: readonly string[] }[] };
      };
      const [expression] = spec.podSelector.matchExpressions;

      expect(new Set(expression?.values)).toEqual(new Set([...programs, ...others]));
    }
  });
}
