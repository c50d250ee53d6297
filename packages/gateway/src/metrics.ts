import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { ERROR_RESPONSES, type FaultCode } from "./error-responses.js";
import type { Kept } from "./report-publisher.js";
import type { SpillFigures } from "./spill/spill-figures.js";

/** How a request to the reporting path can end. Each ends in exactly one of these. */
export type Outcome =
  | Kept
  | FaultCode
  /** The client left before its body had arrived. */
  | "aborted";

/** All of them are exported from the start, as zero: a rate cannot see the first count of a series that begins with it. */
const OUTCOMES: readonly Outcome[] = [
  "published",
  "spilled",
  ...(Object.keys(ERROR_RESPONSES) as FaultCode[]),
  "aborted",
];

/** What the gateway's accounts say now. */
export interface AccountFigures {
  readonly requests: number;
  readonly inFlight: number;
  readonly outcomes: ReadonlyMap<Outcome, number>;
}

/** Every series that the gateway exports besides the process's own. */
export interface GatewayMetrics {
  readonly durabilitySeconds: Histogram;
  readonly connections: Gauge;
  readonly batchRecords: Histogram;
  readonly batchBytes: Histogram;
  readonly kafkaSendSeconds: Histogram;
  readonly kafkaSendErrors: Counter<"code">;
  readonly spillDrainedRecords: Counter;
  readonly spillErrors: Counter<"code">;
  /** Registers what is read when metrics are asked for. Call it once. */
  watchAccounts(read: () => AccountFigures): void;
  /** The same for what somebody has to mend. */
  watchMisconfigured(read: () => boolean): void;
  /** The same for the records that wait. */
  watchWaitingBytes(read: () => number): void;
  /** The same for the spill. */
  watchSpill(read: () => SpillFigures): void;
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
  const watchedCounter = <L extends string = never>(
    name: string,
    help: string,
    count: (counter: Counter<L>) => void,
    labels: readonly L[] = [],
  ) => {
    new Counter<L>({
      name: `${prefix}${name}`,
      help,
      labelNames: [...labels],
      registers,
      collect() {
        this.reset();
        count(this);
      },
    });
  };
  const histogram = (name: string, help: string, buckets: number[]) =>
    new Histogram({ name: `${prefix}${name}`, help, buckets, registers });
  return {
    durabilitySeconds: histogram(
      "durability_seconds",
      "Time from the end of a body to its record being durable.",
      [
        0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.025, 0.04, 0.06, 0.1, 0.15, 0.25, 0.4,
        0.6, 1, 1.5, 2.5, 4, 6, 10,
      ],
    ),
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
    spillDrainedRecords: counter(
      "spill_drained_records_total",
      "Records that left the spill because Kafka acknowledged them.",
    ),
    spillErrors: counter("spill_errors_total", "Records that the spill did not take, by why not.", [
      "code",
    ]),
    watchMisconfigured: (read) =>
      watched(
        "misconfigured",
        "1 while Kafka refuses what only a change of the deployment can mend: the log and /readyz say what.",
        () => (read() ? 1 : 0),
      ),
    watchAccounts: (read) => {
      watchedCounter(
        "requests_total",
        "POST requests to the reporting path, and requests that no HTTP parser can read.",
        (requests) => requests.inc(read().requests),
      );
      watchedCounter(
        "outcomes_total",
        "How those requests ended; the sum over all outcomes is their number.",
        (outcomes) => {
          const counted = read().outcomes;
          for (const outcome of OUTCOMES) outcomes.inc({ outcome }, counted.get(outcome) ?? 0);
        },
        ["outcome"],
      );
      watched(
        "in_flight_requests",
        "Requests to the reporting path under way.",
        () => read().inFlight,
      );
    },
    watchSpill: (read) => {
      watched("spill_usable", "1 while the spill takes records, else 0.", () =>
        read().isUsable ? 1 : 0,
      );
      watched("spill_records", "Records in the spill.", () => read().records);
      watched(
        "spill_overtaken_records",
        "Those of them whose partition cannot take them while others can.",
        () => read().overtakenRecords,
      );
      watched("spill_bytes", "Bytes of the records in the spill, on disk.", () => read().bytes);
      watched(
        "spill_max_bytes",
        "Bytes that the spill may hold, SPILL_MAX_BYTES.",
        () => read().maxBytes,
      );
      watched(
        "spill_oldest_age_seconds",
        "Time since the oldest record in the spill was received; 0 when it is empty.",
        () => read().oldestAgeSecs,
      );
      watched(
        "spill_damaged_logs",
        "Damaged logs that were set aside in SPILL_DIR and wait for people.",
        () => read().damagedLogs,
      );
    },
    watchWaitingBytes: (read) =>
      watched("waiting_bytes", "Bytes of records that wait for Kafka or are on their way.", read),
  };
}
