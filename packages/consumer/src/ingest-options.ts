import { type ConfigOf, integerOption, withContradictions } from "@push-reports/service-kit";
import { MAX_RANGE_BYTES, MAX_RANGE_RECORDS } from "./report-range.js";

/** Each for itself; {@link ingestFaults} tells what contradicts what. */
export const INGEST_VALUES = {
  maxRangeRows: integerOption({
    name: "MAX_RANGE_ROWS",
    about: "Rows of one insert. Larger inserts make fewer parts and replay more after a crash.",
    unit: "rows",
    min: 1,
    max: MAX_RANGE_RECORDS,
    fallback: 100_000,
  }),
  maxRangeBytes: integerOption({
    name: "MAX_RANGE_BYTES",
    about: "Memory footprint of the records of one insert.",
    unit: "bytes",
    min: 65_536,
    max: MAX_RANGE_BYTES,
    fallback: 32 * 1024 * 1024,
  }),
  maxDelayMs: integerOption({
    name: "MAX_DELAY_MS",
    about:
      "How long after its receipt a report is to be a row at low traffic: so long, less the usual time of an insert, it waits for others to " +
      "be inserted with it. At most half of it is left to the insert and a quarter to the way to the consumer.",
    unit: "ms",
    min: 10,
    max: 60_000,
    fallback: 1_000,
  }),
  maxInsertsPerSecond: integerOption({
    name: "MAX_INSERTS_PER_SECOND",
    about:
      "Inserts a second of one process at low traffic: with many partitions MAX_DELAY_MS is stretched to stay below.",
    unit: "inserts/s",
    min: 1,
    max: 1_000,
    fallback: 10,
  }),
  maxBadPercent: integerOption({
    name: "MAX_BAD_PERCENT",
    about:
      "Share of bad records among the latest BAD_WINDOW_RECORDS that are still set aside. Beyond it nothing more is taken, because " +
      "then it is the deployment that is bad and not the records. 100 sets every bad record aside; what was set aside counts on, " +
      "after a restart too, until so many other records have followed.",
    unit: "%",
    min: 0,
    max: 100,
    fallback: 20,
  }),
  badWindowRecords: integerOption({
    name: "BAD_WINDOW_RECORDS",
    about:
      "Over how many of the latest records of this process, and of the partitions that it was assigned, MAX_BAD_PERCENT is counted.",
    unit: "records",
    min: 100,
    // At a bad record the ledger is asked for up to so many rows of each partition, and each search for bad records goes through the window's again and again.
    max: 100_000,
    fallback: 10_000,
  }),
  freshnessIntervalMs: integerOption({
    name: "FRESHNESS_INTERVAL_MS",
    about: "How often the log's end is read, for lag and freshness.",
    unit: "ms",
    min: 500,
    max: 300_000,
    fallback: 10_000,
  }),
  freshnessMarginMs: integerOption({
    name: "FRESHNESS_MARGIN_MS",
    about:
      "How much freshness stays behind what is complete: at least the gateways' ANSWER_DEADLINE_MS, within which a report may reach " +
      "the log after it was received, and what their clocks may differ by.",
    unit: "ms",
    min: 0,
    max: 600_000,
    fallback: 10_000,
  }),
  insertTimeoutMs: integerOption({
    name: "INSERT_TIMEOUT_MS",
    about: "After this time ClickHouse ends an insert by itself, and it is tried again.",
    unit: "ms",
    min: 1_000,
    max: 600_000,
    fallback: 30_000,
  }),
  stallTimeoutMs: integerOption({
    name: "STALL_TIMEOUT_MS",
    about: "Without a sign of progress for so long the process ends, to be started anew.",
    unit: "ms",
    min: 5_000,
    max: 3_600_000,
    fallback: 120_000,
  }),
} as const;

/** How records become ranges, whatever they come from. */
export const INGEST_OPTIONS = withContradictions(INGEST_VALUES, ingestFaults);

/** What is wrong with values of ingestion that are right each for itself. */
export function ingestFaults(values: Partial<ConfigOf<typeof INGEST_VALUES>>): readonly string[] {
  const { stallTimeoutMs = Number.POSITIVE_INFINITY, insertTimeoutMs = 0 } = values;
  return stallTimeoutMs < insertTimeoutMs * 2
    ? [
        "STALL_TIMEOUT_MS must be at least twice INSERT_TIMEOUT_MS, or an insert that still may succeed counts as a stall",
      ]
    : [];
}

/** Values of {@link INGEST_OPTIONS}. */
export type IngestConfig = ConfigOf<typeof INGEST_OPTIONS>;
