import { Counter, collectDefaultMetrics, Gauge, Histogram, type Registry } from "prom-client";
import type { FaultCode } from "./error-responses.js";
import type { Kept } from "./report-publisher.js";

/** How a request to the reporting path can end. Each ends in exactly one of these. */
export type Outcome =
  | Kept
  | FaultCode
  /** The client left before its body had arrived. */
  | "aborted";

/** Every series that the gateway exports besides the process's own. */
export interface GatewayMetrics {
  readonly requests: Counter;
  readonly outcomes: Counter<"outcome">;
  readonly durabilitySeconds: Histogram;
  readonly inFlightRequests: Gauge;
  readonly connections: Gauge;
  readonly batchRecords: Histogram;
  readonly batchBytes: Histogram;
  readonly kafkaSendSeconds: Histogram;
  readonly kafkaSendErrors: Counter<"code">;
  /** Registers what is read when metrics are asked for. Call it once. */
  watchWaitingBytes(read: () => number): void;
}

/** Registers them; call it once a registry. */
export function createGatewayMetrics(registry: Registry): GatewayMetrics {
  const registers = [registry];
  const prefix = "push_reports_gateway_";
  const counter = <L extends string = never>(
    name: string,
    help: string,
    labels: readonly L[] = [],
  ) => new Counter<L>({ name: `${prefix}${name}`, help, labelNames: [...labels], registers });
  const gauge = (name: string, help: string) =>
    new Gauge({ name: `${prefix}${name}`, help, registers });
  const watched = (name: string, help: string, read: () => number) => {
    new Gauge({
      name: `${prefix}${name}`,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  };
  const histogram = (name: string, help: string, buckets: number[]) =>
    new Histogram({ name: `${prefix}${name}`, help, buckets, registers });
  return {
    requests: counter(
      "requests_total",
      "POST requests to the reporting path, and requests that no HTTP parser can read.",
    ),
    outcomes: counter(
      "outcomes_total",
      "How those requests ended; the sum over all outcomes is their number.",
      ["outcome"],
    ),
    durabilitySeconds: histogram(
      "durability_seconds",
      "Time from the end of a body to its record being durable.",
      [
        0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.025, 0.04, 0.06, 0.1, 0.15, 0.25, 0.4,
        0.6, 1, 1.5, 2.5, 4, 6, 10,
      ],
    ),
    inFlightRequests: gauge("in_flight_requests", "Requests to the reporting path under way."),
    connections: gauge("connections", "Open connections of clients."),
    batchRecords: histogram(
      "batch_records",
      "Records of a batch that was sent to Kafka.",
      [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000],
    ),
    batchBytes: histogram(
      "batch_bytes",
      "Bytes of a batch that was sent to Kafka, before compression.",
      [512, 1_024, 4_096, 16_384, 65_536, 262_144, 524_288, 1_048_576],
    ),
    kafkaSendSeconds: histogram(
      "kafka_send_seconds",
      "Time from sending a batch to its acknowledgement by all in-sync replicas.",
      [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    ),
    kafkaSendErrors: counter(
      "kafka_send_errors_total",
      "Batches that were not acknowledged, by what is known of them.",
      ["code"],
    ),
    watchWaitingBytes: (read) =>
      watched("waiting_bytes", "Bytes of records that wait for Kafka or are on their way.", read),
  };
}

/** Registers the process's own series (CPU, memory, event loop). */
export function collectProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry });
}
