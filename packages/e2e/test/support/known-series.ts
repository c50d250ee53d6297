import { collectDefaultMetrics, Registry } from "prom-client";
import { labelsOf, measuredServices } from "../../src/measured-services.js";
import type { Rule } from "./observability.js";
import { readPromql } from "./promql.js";

/** A series that rules and dashboards may name. */
interface KnownSeries {
  readonly labels: ReadonlySet<string>;
  /** Values that are exported from the start, by label: all that there are. */
  readonly values: ReadonlyMap<string, ReadonlySet<string>>;
}

/** What Prometheus and its operator add to every series of a target. */
const TARGET_LABELS = ["job", "instance", "namespace", "pod", "container", "service", "endpoint"];
/** Series that others export, and their labels. */
const FOREIGN: Readonly<Record<string, readonly string[]>> = {
  // Prometheus: https://prometheus.io/docs/concepts/jobs_instances/
  up: [],
  // https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/
  ALERTS: ["alertname", "alertstate", "severity"],
  // The kubelet: https://kubernetes.io/docs/reference/instrumentation/metrics/
  kubelet_volume_stats_available_bytes: ["persistentvolumeclaim"],
  kubelet_volume_stats_capacity_bytes: ["persistentvolumeclaim"],
};

/** All series: of the services, of their processes, of others, and those that rules record. */
export async function knownSeries(
  rules: readonly Rule[],
): Promise<ReadonlyMap<string, KnownSeries>> {
  const known = new Map<string, KnownSeries>();
  const processes = new Registry();
  collectDefaultMetrics({ register: processes });
  for (const registry of [processes, ...measuredServices().map((service) => service.registry)])
    for (const { name, type, values } of await registry.getMetricsAsJSON()) {
      const labels = labelsOf(registry, name);
      const series = seriesOf(labels, values);
      known.set(name, series);
      // prom-client gives its metrics' types as words.
      if (String(type) !== "histogram") continue;
      known.set(`${name}_bucket`, seriesOf([...labels, "le"], []));
      for (const part of ["sum", "count"]) known.set(`${name}_${part}`, series);
    }
  for (const [name, labels] of Object.entries(FOREIGN)) known.set(name, seriesOf(labels, []));
  for (const { record, labels = {}, expr } of rules)
    if (record !== undefined)
      known.set(record, seriesOf([...Object.keys(labels), ...readPromql(expr).grouping], []));
  processes.clear();
  return known;
}

/** What an expression names that does not exist: series, labels, and values of labels. */
export function strangersIn(
  expression: string,
  known: ReadonlyMap<string, KnownSeries>,
): readonly string[] {
  const { selectors, grouping } = readPromql(expression);
  const all = new Set(selectors.flatMap(({ metric }) => [...(known.get(metric)?.labels ?? [])]));
  const ofGroups = grouping.filter((label) => !all.has(label)).map((label) => `by ${label}`);
  const ofSelectors = selectors.flatMap(({ metric, matchers }) => {
    const series = known.get(metric);
    if (series === undefined) return [metric];
    return matchers.flatMap(({ label, operator, value }) => {
      if (!series.labels.has(label)) return [`${metric}{${label}}`];
      const values = series.values.get(label);
      if (values === undefined || value.includes("$")) return [];
      const words = operator.includes("~") ? value.split("|") : [value];
      return words
        .filter((word) => !values.has(word))
        .map((word) => `${metric}{${label}="${word}"}`);
    });
  });
  return [...ofSelectors, ...ofGroups];
}

function seriesOf(
  labels: readonly string[],
  samples: readonly { readonly labels: Readonly<Record<string, unknown>> }[],
): KnownSeries {
  const values = labels.map((label) => {
    const seen = samples.flatMap((sample) =>
      label in sample.labels ? [String(sample.labels[label])] : [],
    );
    return [label, new Set(seen)] as const;
  });
  return {
    labels: new Set([...labels, ...TARGET_LABELS]),
    values: new Map(values.filter(([, seen]) => seen.size > 0)),
  };
}
