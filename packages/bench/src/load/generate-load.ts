import { setTimeout as delay } from "node:timers/promises";
import { cpuMsOf, residentBytesOf } from "../measure/process-usage.js";
import type { LatencyHistogram } from "./latency-histogram.js";
import { LoadGenerator } from "./load-generator.js";
import type { Latency, LoadPlan, LoadResult, MemorySample } from "./load-plan.js";
import { reportRequests } from "./report-requests.js";

const MEMORY_EVERY_MS = 500;

/** Loads by a plan and measures its window. @param ownCpuMs processor time of this process so far, ms. */
export async function generateLoad(plan: LoadPlan, ownCpuMs: () => number): Promise<LoadResult> {
  const nowSecs = Math.floor(Date.now() / 1_000);
  const generator = new LoadGenerator(
    plan,
    reportRequests(plan.distinct, plan.population, nowSecs),
  );
  await generator.connect();
  generator.start();
  await delay(plan.warmUpMs);
  generator.take();
  const beganAt = performance.now();
  const cpuBefore = usageOf(plan);
  const ownBefore = ownCpuMs();
  const memory = await watchMemory(plan, beganAt);
  const counted = generator.take();
  const cpuAfter = usageOf(plan);
  const ownAfter = ownCpuMs();
  const windowMs = performance.now() - beganAt;
  generator.stop();
  return {
    windowMs,
    answers: counted.answers,
    failures: counted.failures,
    unanswered: counted.unanswered,
    latencyMs: latencyIn(counted.latency),
    latencyMsOf: Object.fromEntries(
      [...counted.latencyOf].map(([status, latency]) => [status, latencyIn(latency)]),
    ),
    cpuMs: Object.fromEntries(
      Object.entries(cpuAfter).map(([name, after]) => [name, after - (cpuBefore[name] ?? 0)]),
    ),
    memory,
    ownCpuMs: ownAfter - ownBefore,
  };
}

function latencyIn(histogram: LatencyHistogram): Latency {
  return {
    p50: histogram.quantile(0.5),
    p90: histogram.quantile(0.9),
    p99: histogram.quantile(0.99),
    p999: histogram.quantile(0.999),
    max: histogram.quantile(1),
  };
}

function usageOf({ processes }: LoadPlan): Record<string, number> {
  return Object.fromEntries(
    Object.entries(processes).map(([name, pid]) => [name, cpuMsOf(pid)] as const),
  );
}

/** Lasts as long as the window. */
async function watchMemory(plan: LoadPlan, beganAt: number) {
  const samples: Record<string, MemorySample[]> = {};
  for (;;) {
    const atMs = performance.now() - beganAt;
    for (const [name, pid] of Object.entries(plan.processes)) {
      samples[name] ??= [];
      samples[name].push({ atMs, bytes: residentBytesOf(pid) });
    }
    const leftMs = plan.windowMs - atMs;
    if (leftMs <= 0) return samples;
    await delay(Math.min(MEMORY_EVERY_MS, leftMs));
  }
}
