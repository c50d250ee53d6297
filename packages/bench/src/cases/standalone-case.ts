import { atLeast, atMost, figure } from "../figures/figure.js";
import { rowsPerSecond } from "../measure/row-rate.js";
import { watchQueryable } from "../measure/watch-queryable.js";
import type { Lab } from "../services/lab.js";
import { Standalone } from "../services/standalone.js";
import type { BenchCase, CaseOptions } from "./bench-case.js";
import { lineOf, loadServer } from "./server-load.js";

/** Rate at which the time until a report can be queried is measured. */
const RATE = 10_000;
const WARM_UP_MS = 6_000;
/** Rows are added once a second, so a window must be longer than elsewhere. */
const WINDOWS = 2;

/** Everything in one process. */
export const STANDALONE: BenchCase = {
  name: "standalone",
  title: "Standalone",
  needsContainers: false,
  run: async (lab, options) => {
    const rounds = [];
    for (let round = 0; round < options.rounds; round += 1)
      rounds.push(await measure(lab, options));
    return {
      figures: [
        figure(
          "standalone: reports/s durable and queryable",
          "/s",
          rounds.map(({ perSecond }) => perSecond),
          atLeast(10_000),
        ),
        figure(
          `standalone: p99 from 200 to queryable, at ${RATE.toLocaleString("en")}/s`,
          "ms",
          rounds.map(({ queryableP99 }) => queryableP99),
          atMost(2_000),
        ),
        figure(
          `standalone: p99 from due to durable, at ${RATE.toLocaleString("en")}/s`,
          "ms",
          rounds.map(({ durableP99 }) => durableP99),
        ),
        figure(
          "standalone: from node to ready, on a new folder",
          "ms",
          rounds.map(({ firstStartMs }) => firstStartMs),
          atMost(3_000),
        ),
        figure(
          "standalone: from node to ready, on its folder with the reports of a round",
          "ms",
          rounds.map(({ nextStartMs }) => nextStartMs),
          atMost(3_000),
        ),
      ],
      notes: [
        "Reports/s: closed loop over 512 connections; the lesser of what was answered 200 and of what was added to `reports` in the same window.",
        "Time to queryable: a report every 50 ms beside the load, looked for by SQL every 25 ms.",
      ],
    };
  },
};

async function measure(lab: Lab, { windowMs, say }: CaseOptions) {
  const forMs = WINDOWS * windowMs;
  const standalone = await Standalone.create(lab);
  try {
    const firstStartMs = await standalone.start();
    say(`ready after ${firstStartMs.toFixed(0)} ms`);
    const rows = async () =>
      Number(await standalone.ask("SELECT count() FROM push_reports.reports"));
    const [most, rowRate] = await Promise.all([
      loadServer(standalone.server, { warmUpMs: WARM_UP_MS, windowMs: forMs }),
      rowsPerSecond(rows, { afterMs: WARM_UP_MS, forMs }),
    ]);
    say(`${lineOf("maximum", most)}; ${rowRate.toFixed(0)} rows/s`);
    const [load, queryable] = await Promise.all([
      loadServer(standalone.server, { perSecond: RATE, warmUpMs: WARM_UP_MS, windowMs: forMs }),
      watchQueryable(standalone, WARM_UP_MS + forMs),
    ]);
    say(`${lineOf(`${RATE}/s`, load)}; queryable p50 ${queryable.quantile(0.5).toFixed(0)} ms`);
    await standalone.stop();
    const nextStartMs = await standalone.start();
    say(`ready after ${nextStartMs.toFixed(0)} ms with its reports`);
    return {
      firstStartMs,
      nextStartMs,
      perSecond: Math.min(most.acceptedPerSecond, rowRate),
      durableP99: load.result.latencyMs.p99,
      queryableP99: queryable.quantile(0.99),
    };
  } finally {
    await standalone.dispose();
  }
}
