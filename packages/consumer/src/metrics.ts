import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { BadRecord } from "./row-lines.js";

/** Every series that the consumer exports besides the process's own. */
export interface ConsumerMetrics {
  readonly rows: Counter;
  readonly rowBytes: Counter;
  readonly ranges: Counter;
  readonly rangeRecords: Histogram;
  readonly rangeBytes: Histogram;
  readonly rangeSeconds: Histogram;
  readonly insertSeconds: Histogram;
  readonly recoveredRanges: Counter;
  readonly duplicatesDropped: Counter;
  readonly activitySeconds: Counter<"activity">;
  readonly deadLetters: Counter<"reason">;
  readonly probes: Counter;
  readonly repeated: Counter;
  readonly absent: Counter;
  readonly writeRetries: Counter<"operation" | "failure">;
  readonly assignedPartitions: Gauge;
  readonly bufferedBytes: Gauge;
  readonly epochs: Counter;
  readonly rebalances: Counter;
  readonly lagRecords: Gauge<"partition">;
  readonly lagSeconds: Gauge<"partition">;
  readonly drainEta: Gauge;
  readonly lastProgress: Gauge;
  readonly sinceProgress: Gauge;
  readonly misconfigured: Gauge;
  readonly tooManyBad: Gauge;
}

const SECOND_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
const RECORD_BUCKETS = [
  1, 10, 100, 1_000, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
];
const BYTE_BUCKETS = [1, 4, 16, 64, 256, 1_024, 4_096, 16_384, 32_768, 65_536].map(
  (kibibytes) => kibibytes * 1_024,
);

/** Exported from the start, as zero: an increase cannot see the first count of a series that begins with it. */
const DEAD_LETTER_REASONS: Readonly<Record<BadRecord["reason"], 0>> = {
  empty_value: 0,
  too_large: 0,
  not_utf8: 0,
  no_version: 0,
  unknown_version: 0,
  not_json: 0,
  invalid_field: 0,
  refused: 0,
};

/** Registers them; call it once a registry. */
export function createConsumerMetrics(registry: Registry): ConsumerMetrics {
  const registers = [registry];
  const prefix = "push_reports_consumer_";
  const counter = <L extends string = never>(
    name: string,
    help: string,
    labels: readonly L[] = [],
  ) => new Counter<L>({ name: `${prefix}${name}`, help, labelNames: [...labels], registers });
  const gauge = <L extends string = never>(name: string, help: string, labels: readonly L[] = []) =>
    new Gauge<L>({ name: `${prefix}${name}`, help, labelNames: [...labels], registers });
  const histogram = (name: string, help: string, buckets: readonly number[]) =>
    new Histogram({ name: `${prefix}${name}`, help, buckets: [...buckets], registers });
  const deadLetters = counter("dead_letters_total", "Records set aside.", ["reason"]);
  for (const [reason, none] of Object.entries(DEAD_LETTER_REASONS))
    deadLetters.inc({ reason }, none);
  return {
    rows: counter("rows_total", "Rows inserted into reports."),
    rowBytes: counter("row_bytes_total", "Bytes of the lines that were inserted."),
    ranges: counter("ranges_total", "Ranges completed."),
    rangeRecords: histogram("range_records", "Records of a range.", RECORD_BUCKETS),
    rangeBytes: histogram("range_bytes", "Bytes of the lines of a range.", BYTE_BUCKETS),
    rangeSeconds: histogram(
      "range_seconds",
      "Time from cutting a range to its commit.",
      SECOND_BUCKETS,
    ),
    insertSeconds: histogram(
      "insert_seconds",
      "Time of one attempt to insert a range into reports, whether it succeeded or not.",
      SECOND_BUCKETS,
    ),
    recoveredRanges: counter(
      "recovered_ranges_total",
      "Ranges that an earlier owner had announced and that were done again under their names, and others of which rows were there when they were looked up.",
    ),
    duplicatesDropped: counter(
      "duplicates_dropped_total",
      "Rows that were there when a range of theirs was looked up before its insert, and that were left alone. Not among them: what a repeated insert " +
        "finds of its own rows, and what ClickHouse drops by an insert's name, of which it tells nobody.",
    ),
    activitySeconds: counter(
      "activity_seconds_total",
      "Time of all partitions by what it was spent on; a partition is at one thing at a time.",
      ["activity"],
    ),
    deadLetters,
    probes: counter(
      "probes_total",
      "Times that the database was asked whether it would take some rows, to find those that it refuses.",
    ),
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
    bufferedBytes: gauge(
      "buffered_bytes",
      "Memory of the records that were fetched and are not committed; MAX_BUFFERED_BYTES bounds it.",
    ),
    epochs: counter("epochs_total", "Assignments of a partition to this process."),
    rebalances: counter("rebalances_total", "Times that this process joined the group anew."),
    lagRecords: gauge(
      "lag_records",
      "Records of an assigned partition that are not complete yet, as of the last look at the log.",
      ["partition"],
    ),
    lagSeconds: gauge(
      "lag_seconds",
      "Age of the oldest record of an assigned partition that is not complete yet; 0 when there is none.",
      ["partition"],
    ),
    drainEta: gauge(
      "drain_eta_seconds",
      "Time until this process's partitions have no lag, at the speed of the last minute; +Inf while the lag does not shrink.",
    ),
    lastProgress: gauge(
      "last_progress_timestamp_seconds",
      "Unix time of the last step that any range reached.",
    ),
    sinceProgress: gauge(
      "since_progress_seconds",
      "Time since any range reached a step while there is lag; 0 without lag.",
    ),
    misconfigured: gauge(
      "misconfigured",
      "1 while ClickHouse or Kafka refuses for a reason that only a person can mend, else 0.",
    ),
    tooManyBad: gauge(
      "too_many_bad_records",
      "1 while nothing more is taken because MAX_BAD_PERCENT of the latest records are bad, else 0.",
    ),
  };
}

/** Registers the series of ClickHouse's disks; call it once a registry. */
export function createDiskGauge(registry: Registry): Gauge {
  return new Gauge({
    name: "push_reports_consumer_clickhouse_disk_free_ratio",
    help: "Free share of the fullest disk of the ClickHouse server that rows go to, 0 to 1; NaN while it cannot be found out.",
    registers: [registry],
  });
}
