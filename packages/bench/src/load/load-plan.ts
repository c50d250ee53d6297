import type { Population } from "./sdk-reports.js";

/** What a load generator is to do. */
export interface LoadPlan {
  /** Where to send, on 127.0.0.1. */
  readonly port: number;
  /** Kept-alive connections, all of them open before the load begins; one request at a time on each. */
  readonly connections: number;
  /**
   * Open loop: requests due a second, evenly, whether earlier ones have been answered or not. Null: closed loop, a request as soon as
   * the last one on its connection was answered.
   */
  readonly perSecond: number | null;
  /** Load before anything is counted, ms. */
  readonly warmUpMs: number;
  /** How long answers are counted, ms. */
  readonly windowMs: number;
  readonly population: Population;
  /** Different requests, sent in turn. */
  readonly distinct: number;
  /** Processes whose processor time within the window and resident memory are measured, by a name. */
  readonly processes: Readonly<Record<string, number>>;
}

/** A look at the resident memory of a process. */
export interface MemorySample {
  /** Since the window began. */
  readonly atMs: number;
  readonly bytes: number;
}

/** Times that so large a share of the requests did not exceed, ms; NaN where there were none. */
export interface Latency {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** What became of a load within its window. */
export interface LoadResult {
  readonly windowMs: number;
  /** Answers by status. */
  readonly answers: Readonly<Record<string, number>>;
  /** Connections that ended without the answer they owed, or could not be opened anew. */
  readonly failures: number;
  /** Requests that were due when the window ended and not answered yet, those on their way included. */
  readonly unanswered: number;
  /** From when a request was due (open loop) or sent (closed loop) until its answer. */
  readonly latencyMs: Latency;
  /** The same by status. */
  readonly latencyMsOf: Readonly<Record<string, Latency>>;
  /** Processor time of the measured processes within the window, ms. */
  readonly cpuMs: Readonly<Record<string, number>>;
  readonly memory: Readonly<Record<string, readonly MemorySample[]>>;
  /** Processor time of the generator itself within the window, ms. */
  readonly ownCpuMs: number;
}
