import { createLogger, readConfig, systemClock } from "@push-reports/service-kit";
import { Registry } from "prom-client";
import { HTTP_OPTIONS, type HttpConfig } from "../../src/config.js";
import { createGatewayMetrics } from "../../src/metrics.js";
import type { ReportPublisher } from "../../src/report-publisher.js";
import { createGatewayParts } from "../../src/service.js";

/** A gateway's HTTP side over any publisher, listening on a free port. */
export interface TestGateway {
  readonly port: number;
  readonly baseUrl: string;
  readonly health: ReturnType<typeof createGatewayParts>["health"];
  /** How many are open. */
  connections(): number;
  /** The outcomes that any request had so far, and the requests. */
  counted(): Promise<{ requests: number; outcomes: Readonly<Record<string, number>> }>;
  stop(): Promise<void>;
}

/** Starts one; name only the settings that the test is about. */
export async function startGateway(
  publisher: ReportPublisher,
  overrides: Partial<HttpConfig> = {},
): Promise<TestGateway> {
  const registry = new Registry();
  const defaults = readConfig(HTTP_OPTIONS, {}, () => "");
  const { parts, server, health } = createGatewayParts({
    config: { ...defaults, httpPort: 0, httpHost: "127.0.0.1", shutdownDelayMs: 0, ...overrides },
    publisher,
    metrics: createGatewayMetrics(registry),
    clock: systemClock,
    logger: createLogger({ service: "test", level: "silent" }),
  });
  for (const part of parts) await part.start?.();
  return {
    port: server.port,
    baseUrl: `http://127.0.0.1:${server.port}`,
    health,
    connections: () => server.open,
    counted: async () => {
      const [requests, outcomes] = await Promise.all(
        ["requests_total", "outcomes_total"].map((name) =>
          registry.getSingleMetric(`push_reports_gateway_${name}`)?.get(),
        ),
      );
      return {
        requests: requests?.values[0]?.value ?? 0,
        outcomes: Object.fromEntries(
          (outcomes?.values ?? [])
            .filter(({ value }) => value > 0)
            .map(({ labels, value }) => [String(labels["outcome"]), value]),
        ),
      };
    },
    stop: async () => {
      for (const part of parts.toReversed()) await part.stop?.();
    },
  };
}
