import { setTimeout as delay } from "node:timers/promises";
import { cpuMsOf, residentBytesOf } from "../measure/process-usage.js";

const LOOK_EVERY_MS = 200;
const STALLED_MS = 60_000;

/** How a backlog was worked off. */
export interface Drain {
  readonly records: number;
  /** Between the first sight of any rows and the sight of all: start-up, which no backlog makes longer, is left out. */
  readonly perSecond: number;
  /** From the beginning to the sight of all, ms. */
  readonly totalMs: number;
  /** Processor time of each process from its own beginning (a program) or from the drain's (a server), a record; µs. */
  readonly cpuMicrosEach: Readonly<Record<string, number>>;
  readonly peakBytes: Readonly<Record<string, number>>;
}

/**
 * Looks until all `records` are there. @param programs processes that began with the drain; `servers` began before it.
 * @throws Error when nothing was added for a minute.
 */
export async function watchDrain(options: {
  readonly records: number;
  readonly rows: () => Promise<number>;
  readonly programs: Readonly<Record<string, number>>;
  readonly servers: Readonly<Record<string, number>>;
}): Promise<Drain> {
  const { records, rows, programs, servers } = options;
  const all = { ...programs, ...servers };
  const before = Object.fromEntries(Object.entries(servers).map(([n, pid]) => [n, cpuMsOf(pid)]));
  const peakBytes: Record<string, number> = {};
  const beganAt = performance.now();
  let first: { readonly at: number; readonly rows: number } | undefined;
  let last = { at: beganAt, rows: 0 };
  while (last.rows < records) {
    await delay(LOOK_EVERY_MS);
    const seen = { rows: await rows(), at: performance.now() };
    for (const [name, pid] of Object.entries(all))
      peakBytes[name] = Math.max(peakBytes[name] ?? 0, residentBytesOf(pid));
    if (seen.rows > last.rows) {
      first ??= seen;
      last = seen;
    }
    if (seen.at - last.at > STALLED_MS)
      throw new Error(`Stalled at ${seen.rows} of ${records} rows`);
  }
  const since = first ?? last;
  const cpu = Object.entries(all).map(([name, pid]) => {
    const ms = cpuMsOf(pid) - (before[name] ?? 0);
    return [name, (ms * 1_000) / records] as const;
  });
  return {
    records,
    perSecond: ((last.rows - since.rows) * 1_000) / (last.at - since.at),
    totalMs: last.at - beganAt,
    cpuMicrosEach: Object.fromEntries(cpu),
    peakBytes,
  };
}
