import type { EmbeddedLog } from "@push-reports/embedded-log";
import type { SpillDrain } from "./spill-drain.js";
import type { SpillStore } from "./spill-store.js";

/** What the spill holds, for metrics and people. */
export interface SpillFigures {
  readonly isUsable: boolean;
  readonly records: number;
  /** Records of batches that others overtake while their partition cannot take them. */
  readonly overtakenRecords: number;
  /** On disk, with framing. */
  readonly bytes: number;
  /** What `bytes` may reach. */
  readonly maxBytes: number;
  /** Since the oldest record was received; 0 when there is none. */
  readonly oldestAgeSecs: number;
  /** Damaged logs that lie in the folder and wait for people. */
  readonly damagedLogs: number;
}

/** Reads the figures as they are now. @param now Unix milliseconds. */
export function readSpillFigures(store: SpillStore, drain: SpillDrain, now: number): SpillFigures {
  const { log, maxBytes, setAsideCount: damagedLogs } = store;
  const records = log === null ? 0 : log.nextOffset - log.firstOffset;
  return {
    isUsable: log?.isHealthy() === true,
    records,
    overtakenRecords: drain.overtakenRecords,
    bytes: log === null || records === 0 ? 0 : log.bytes,
    maxBytes,
    oldestAgeSecs: log === null || records === 0 ? 0 : oldestAgeSecs(log, now),
    damagedLogs,
  };
}

/** The figures as the readiness page shows them. */
export function describeSpill(figures: SpillFigures): Readonly<Record<string, unknown>> {
  const { isUsable, ...rest } = figures;
  return { state: isUsable ? "usable" : "cannot be used", ...rest };
}

function oldestAgeSecs(log: EmbeddedLog, now: number): number {
  try {
    const [oldest] = log.read(log.firstOffset, { maxRecords: 1, maxBytes: 1 });
    return oldest === undefined ? 0 : Math.max(0, now - oldest.timestampMs) / 1_000;
  } catch {
    // The drain meets the same fault and decides about it.
    return 0;
  }
}
