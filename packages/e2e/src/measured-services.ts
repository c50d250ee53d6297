import { createCanaryMetrics } from "@push-reports/canary";
import { createConsumerMetrics, createDiskGauge } from "@push-reports/consumer";
import { createGatewayMetrics } from "@push-reports/gateway";
import { createInsightsMetrics } from "@push-reports/insights";
import { Registry } from "prom-client";

/** A service and the series that it registers besides the process's own. */
export interface MeasuredService {
  readonly name: string;
  readonly registry: Registry;
}

/** Every service that Prometheus looks at, without any traffic. */
export function measuredServices(): readonly MeasuredService[] {
  return [
    { name: "gateway", registry: gatewayRegistry() },
    { name: "consumer", registry: consumerRegistry() },
    { name: "insights", registry: insightsRegistry() },
    { name: "canary", registry: canaryRegistry() },
  ];
}

/** The labels that a series has by itself. prom-client's types leave them out. */
export function labelsOf(registry: Registry, name: string): readonly string[] {
  const metric = registry.getSingleMetric(name) as unknown as { labelNames?: readonly string[] };
  return metric.labelNames ?? [];
}

function gatewayRegistry(): Registry {
  const registry = new Registry();
  const metrics = createGatewayMetrics(registry);
  metrics.watchAccounts(() => ({ requests: 0, inFlight: 0, outcomes: new Map() }));
  metrics.watchMisconfigured(() => false);
  metrics.watchWaitingBytes(() => 0);
  metrics.watchSpill(() => ({
    isUsable: true,
    records: 0,
    overtakenRecords: 0,
    bytes: 0,
    maxBytes: 0,
    oldestAgeSecs: 0,
    damagedLogs: 0,
  }));
  return registry;
}

function consumerRegistry(): Registry {
  const registry = new Registry();
  createConsumerMetrics(registry);
  createDiskGauge(registry);
  return registry;
}

function insightsRegistry(): Registry {
  const registry = new Registry();
  createInsightsMetrics(registry);
  return registry;
}

function canaryRegistry(): Registry {
  const registry = new Registry();
  createCanaryMetrics(registry);
  return registry;
}
