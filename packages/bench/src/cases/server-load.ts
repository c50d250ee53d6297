import type { LoadResult } from "../load/load-plan.js";
import { type LoadOptions, runLoad } from "../load/run-load.js";
import type { RunningServer } from "../services/lab.js";

/** What one window of load on a server gave. */
export interface ServerLoad {
  readonly result: LoadResult;
  readonly acceptedPerSecond: number;
  readonly accepted: number;
  readonly cpuMs: number;
  /** Of the server, a request that was answered 200; µs. */
  readonly cpuMicrosEach: number;
}

/** Loads a server. @throws Error when anything but the statuses that are `allowed` came back. */
export async function loadServer(
  server: RunningServer,
  options: Partial<LoadOptions> = {},
  allowed: readonly string[] = ["200"],
): Promise<ServerLoad> {
  const { port, process } = server;
  const result = await runLoad({ port, processes: { server: process.pid }, ...options });
  const others = Object.keys(result.answers).filter((status) => !allowed.includes(status));
  if (others.length > 0 || result.failures > 0)
    throw new Error(
      `Not only ${allowed}: ${JSON.stringify(result.answers)}, ${result.failures} failures\n${process.output}`,
    );
  const accepted = result.answers["200"] ?? 0;
  const cpuMs = result.cpuMs["server"] ?? Number.NaN;
  return {
    result,
    accepted,
    acceptedPerSecond: (accepted * 1_000) / result.windowMs,
    cpuMs,
    cpuMicrosEach: (cpuMs * 1_000) / accepted,
  };
}

/** One line about a window, for whoever watches. */
export function lineOf(name: string, load: ServerLoad): string {
  const { result, acceptedPerSecond, cpuMicrosEach, cpuMs } = load;
  const cores = (ms: number) => (ms / result.windowMs).toFixed(2);
  return (
    `${name}: ${acceptedPerSecond.toFixed(0)}/s, ${cpuMicrosEach.toFixed(1)} µs CPU each, ${cores(cpuMs)} cores; ` +
    `generator ${cores(result.ownCpuMs)} cores; p50 ${result.latencyMs.p50.toFixed(1)} ms, p99 ${result.latencyMs.p99.toFixed(1)} ms`
  );
}
