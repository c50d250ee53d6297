import { Counter, collectDefaultMetrics, Gauge, Histogram, type Registry } from "prom-client";

/** Every series that the consumer exports besides the process's own. */
export interface ConsumerMetrics {
  readonly rows: Counter;
  readonly rowBytes: Counter;
  readonly ranges: Counter;
  readonly rangeSeconds: Histogram;
  readonly stepSeconds: Counter<"step">;
  readonly deadLetters: Counter<"reason">;
  readonly repeated: Counter;
  readonly absent: Counter;
  readonly writeRetries: Counter<"operation" | "failure">;
  readonly assignedPartitions: Gauge;
  readonly epochs: Counter;
  readonly lastProgress: Gauge;
  readonly misconfigured: Gauge;
}

/** Registers them; call it once a registry. */
export function createConsumerMetrics(registry: Registry): ConsumerMetrics {
  const registers = [registry];
  const prefix = "push_reports_consumer_";
  const counter = <L extends string = never>(
    name: string,
    help: string,
    labels: readonly L[] = [],
  ) => new Counter<L>({ name: `${prefix}${name}`, help, labelNames: [...labels], registers });
  const gauge = (name: string, help: string) =>
    new Gauge({ name: `${prefix}${name}`, help, registers });
  return {
    rows: counter("rows_total", "Rows inserted into reports."),
    rowBytes: counter("row_bytes_total", "Bytes of the lines that were inserted."),
    ranges: counter("ranges_total", "Ranges completed."),
    rangeSeconds: new Histogram({
      name: `${prefix}range_seconds`,
      help: "Time from cutting a range to its commit.",
      buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
      registers,
    }),
    stepSeconds: counter(
      "step_seconds_total",
      "Time that ranges spent before they reached a step of the protocol.",
      ["step"],
    ),
    deadLetters: counter("dead_letters_total", "Records set aside.", ["reason"]),
    repeated: counter(
      "repeated_records_total",
      "Records that were sent again and dropped, because their report was a row already.",
    ),
    absent: counter(
      "absent_records_total",
      "Offsets that the log no longer held when they were to be read.",
    ),
    writeRetries: counter(
      "write_retries_total",
      "Failed attempts to write or ask, by what they mean.",
      ["operation", "failure"],
    ),
    assignedPartitions: gauge("assigned_partitions", "Partitions that this process owns now."),
    epochs: counter("epochs_total", "Assignments of a partition to this process."),
    lastProgress: gauge(
      "last_progress_timestamp_seconds",
      "Unix time of the last step that any range reached.",
    ),
    misconfigured: gauge(
      "misconfigured",
      "1 while ClickHouse refuses writes for a reason that only a person can mend, else 0.",
    ),
  };
}

/** Registers the process's own series (CPU, memory, event loop). */
export function collectProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry });
}
