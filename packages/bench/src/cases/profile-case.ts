import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Figure, figure } from "../figures/figure.js";
import { USUAL_POPULATION } from "../load/sdk-reports.js";
import { readProfile, type Step, summarize } from "../measure/cpu-profile.js";
import { produceBacklog } from "../services/backlog.js";
import type { Lab } from "../services/lab.js";
import type { BenchCase, CaseOptions } from "./bench-case.js";
import { drainWithConsumer } from "./drains.js";
import { PARTITIONS } from "./gateway-cases.js";
import { lineOf, loadServer } from "./server-load.js";

const LOAD_MS = 20_000;
const RECORDS = 1_000_000;
const FUNCTIONS_SAID = 30;

const GATEWAY_STEPS: readonly Step[] = [
  { name: "validate (Joi)", files: /node_modules\/(?:joi|@hapi|@standard-schema)\// },
  { name: "parse", files: /gateway\/dist\/(?:parse-report|read-body|client-library)\.js/ },
  { name: "encode", files: /(?:report\/dist\/|gateway\/dist\/report-id\.js)/ },
  { name: "produce: kafkajs", files: /node_modules\/kafkajs\// },
  { name: "produce: lanes", files: /gateway\/dist\/(?:lane|kafka-report-publisher|publish\/)/ },
  {
    name: "route (Express)",
    files: /node_modules\/(?:express|router|path-to-regexp|finalhandler)\//,
  },
  { name: "metrics", files: /(?:prom-client|gateway\/dist\/(?:accounting|metrics)\.js)/ },
  { name: "route and answer", files: /gateway\/dist\// },
];

const CONSUMER_STEPS: readonly Step[] = [
  { name: "fetch and decode (kafkajs)", files: /node_modules\/kafkajs\// },
  { name: "splice", files: /consumer\/dist\/row-lines\.js/ },
  { name: "insert (ClickHouse client)", files: /(?:@clickhouse\/|consumer\/dist\/clickhouse-)/ },
  { name: "take records in", files: /consumer\/dist\/(?:kafka-|record-queue)/ },
  { name: "ranges and their protocol", files: /consumer\/dist\// },
];

/** What the services' processor time goes to, step by step. */
export const PROFILE: BenchCase = {
  name: "profile",
  title: "Where the processor time goes",
  needsContainers: true,
  run: async (lab, options) => ({
    figures: [...(await profileGateway(lab, options)), ...(await profileConsumer(lab, options))],
    notes: [
      "Shares of the main thread's busy time by `--cpu-prof`, one run each; a step has what Node.js does for it. The profiler itself makes small functions dearer.",
    ],
  }),
};

async function profileGateway(lab: Lab, { say }: CaseOptions): Promise<readonly Figure[]> {
  return await profiled("gateway", GATEWAY_STEPS, say, async (nodeOptions) => {
    const gateway = await lab.gateway(await lab.topicForLoad(PARTITIONS), {}, nodeOptions);
    say(lineOf("profiled gateway", await loadServer(gateway, { windowMs: LOAD_MS })));
    await gateway.process.stop();
  });
}

async function profileConsumer(lab: Lab, { say }: CaseOptions): Promise<readonly Figure[]> {
  const backlog = await produceBacklog(await lab.kafka(), {
    records: RECORDS,
    partitions: PARTITIONS,
    population: USUAL_POPULATION,
  });
  return await profiled("consumer", CONSUMER_STEPS, say, async (nodeOptions) => {
    await drainWithConsumer(lab, backlog, nodeOptions);
  });
}

async function profiled(
  service: string,
  steps: readonly Step[],
  say: (text: string) => void,
  run: (nodeOptions: readonly string[]) => Promise<void>,
): Promise<readonly Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), "push-reports-profile-"));
  try {
    await run(["--cpu-prof", `--cpu-prof-dir=${folder}`]);
    const summary = summarize(readProfile(folder), steps);
    for (const [name, share] of summary.functions.slice(0, FUNCTIONS_SAID))
      say(`${(100 * share).toFixed(1).padStart(5)} %  ${name}`);
    return summary.steps.map(([name, share]) => figure(`${service}: ${name}`, "%", [100 * share]));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
