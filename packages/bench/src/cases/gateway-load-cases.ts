import { atLeast, atMost, comparison, figure } from "../figures/figure.js";
import type { MemorySample } from "../load/load-plan.js";
import type { BenchCase } from "./bench-case.js";
import { PARTITIONS } from "./gateway-cases.js";
import { lineOf, loadServer } from "./server-load.js";

const MIB = 1024 * 1024;
const FIRST_WARM_UP_MS = 6_000;
const SHARE_OF_MAXIMUM = 0.7;

/** How long a report takes below the limit. */
export const GATEWAY_LATENCY: BenchCase = {
  name: "gateway-latency",
  title: "Gateway, latency to durable at 70 % of its maximum",
  needsContainers: true,
  run: async (lab, { rounds, windowMs, say }) => {
    const gateway = await lab.gateway(await lab.topicForLoad(PARTITIONS));
    const p50: number[] = [];
    const p99: number[] = [];
    const rates: number[] = [];
    const unanswered: number[] = [];
    await loadServer(gateway, { warmUpMs: FIRST_WARM_UP_MS, windowMs: 1_000 });
    for (let round = 0; round < rounds; round += 1) {
      const most = await loadServer(gateway, { windowMs });
      say(lineOf("maximum", most));
      const perSecond = Math.round(most.acceptedPerSecond * SHARE_OF_MAXIMUM);
      const load = await loadServer(gateway, { perSecond, windowMs });
      say(lineOf(`open loop of ${perSecond}/s`, load));
      p50.push(load.result.latencyMs.p50);
      p99.push(load.result.latencyMs.p99);
      rates.push(perSecond);
      unanswered.push(load.result.unanswered);
    }
    await gateway.process.stop();
    return {
      figures: [
        figure("gateway: rate of the latencies below", "/s", rates),
        figure("gateway: p99 from due to durable", "ms", p99, atMost(50)),
        comparison(
          "gateway: p99 from due to durable",
          "ms",
          p99,
          { what: "its p50", runs: p50 },
          atMost(5),
        ),
      ],
      notes: [
        "Open loop over 512 connections: a report that has to wait for a connection waits on the clock.",
        `Requests that were due and unanswered when a window ended: at most ${Math.max(...unanswered)}.`,
      ],
    };
  },
};

/** What a gateway needs while it works as hard as it can. */
export const GATEWAY_MEMORY: BenchCase = {
  name: "gateway-memory",
  title: "Gateway, resident memory under full load",
  needsContainers: true,
  run: async (lab, { isLong, say }) => {
    const secs = isLong ? 600 : 60;
    const gateway = await lab.gateway(await lab.topicForLoad(PARTITIONS));
    const load = await loadServer(gateway, {
      warmUpMs: FIRST_WARM_UP_MS,
      windowMs: secs * 1_000,
    });
    say(lineOf(`${secs} s`, load));
    await gateway.process.stop();
    const memory = load.result.memory["server"] ?? [];
    const third = (from: number) =>
      medianMib(memory.slice((memory.length * from) / 3, (memory.length * (from + 1)) / 3));
    return {
      figures: [
        figure("gateway: most resident memory", "MiB", [mostMib(memory)], atMost(256)),
        comparison(
          "gateway: resident memory in the last third",
          "MiB",
          [third(2)],
          { what: "in the second third", runs: [third(1)] },
          atMost(1.05),
        ),
      ],
      notes: [
        `${secs} seconds of full load over 512 connections${isLong ? "" : "; `--long` takes 10 minutes"}. One run: no noise is known.`,
      ],
    };
  },
};

function medianMib(samples: readonly MemorySample[]): number {
  const sorted = samples.map(({ bytes }) => bytes).toSorted((a, b) => a - b);
  return (sorted[Math.floor(sorted.length / 2)] ?? Number.NaN) / MIB;
}

/** NaN, which meets no target, where nothing was seen. */
function mostMib(samples: readonly MemorySample[]): number {
  return samples.length === 0 ? Number.NaN : Math.max(...samples.map(({ bytes }) => bytes)) / MIB;
}

/** Requests that may be under way in the overloaded gateway; four times as many connections ask. */
const BOUND = 128;

/** How long after the end of an overload all is to be as before, ms. */
const RECOVERY_MS = 2_000;

/** What a refusal costs, how soon it comes, and what is left of an overload. */
export const GATEWAY_OVERLOAD: BenchCase = {
  name: "gateway-overload",
  title: "Gateway, refusals under overload",
  needsContainers: true,
  run: async (lab, { rounds, windowMs, say }) => {
    const topic = await lab.topicForLoad(PARTITIONS);
    const gateway = await lab.gateway(topic, { MAX_IN_FLIGHT_REQUESTS: String(BOUND) });
    await loadServer(gateway, { warmUpMs: FIRST_WARM_UP_MS, windowMs: 1_000, connections: BOUND });
    const acceptedMicros: number[] = [];
    const refusedMicros: number[] = [];
    const shares: number[] = [];
    const refusedP99: number[] = [];
    const rates: number[] = [];
    const ratesAfter: number[] = [];
    const memory: MemorySample[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const within = await loadServer(gateway, { connections: BOUND, windowMs });
      say(lineOf("within the bound", within));
      const over = await loadServer(gateway, { connections: 4 * BOUND, windowMs }, ["200", "503"]);
      const refused = over.result.answers["503"] ?? 0;
      // What was accepted meanwhile cost as much as it does within the bound; the rest is the refusals'.
      const micros = (over.cpuMs * 1_000 - over.accepted * within.cpuMicrosEach) / refused;
      say(`${lineOf("over it", over)}; ${refused} refused, ${micros.toFixed(1)} µs CPU each`);
      acceptedMicros.push(within.cpuMicrosEach);
      refusedMicros.push(micros);
      shares.push(refused / (refused + over.accepted));
      refusedP99.push(over.result.latencyMsOf["503"]?.p99 ?? Number.NaN);
      memory.push(...(over.result.memory["server"] ?? []));
      const after = await loadServer(gateway, {
        connections: BOUND,
        warmUpMs: RECOVERY_MS,
        windowMs,
      });
      say(lineOf(`${RECOVERY_MS / 1_000} s after it`, after));
      rates.push(within.acceptedPerSecond);
      ratesAfter.push(after.acceptedPerSecond);
    }
    await gateway.process.stop();
    return {
      figures: [
        comparison(
          "gateway: CPU per accepted report",
          "µs",
          acceptedMicros,
          { what: "per refusal", runs: refusedMicros },
          atLeast(2),
        ),
        figure("gateway: p99 of refusals", "ms", refusedP99, atMost(100)),
        figure(
          "gateway: most resident memory under overload",
          "MiB",
          [mostMib(memory)],
          atMost(512),
        ),
        comparison(
          `gateway: durable reports/s from ${RECOVERY_MS / 1_000} s after the overload on`,
          "/s",
          ratesAfter,
          { what: "before it", runs: rates },
          atLeast(0.9),
        ),
      ],
      notes: [
        `A bound of ${BOUND} requests under way, ${4 * BOUND} connections that ask again at once: ${Math.round(100 * Math.min(...shares))} % refused or more.`,
        "Processor time of a refusal is what is left when what was accepted meanwhile is counted as within the bound.",
      ],
    };
  },
};
