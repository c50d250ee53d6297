import { atLeast, atMost, comparison } from "../figures/figure.js";
import type { LoadPlan } from "../load/load-plan.js";
import type { Lab, RunningServer } from "../services/lab.js";
import type { BenchCase, CaseOptions } from "./bench-case.js";
import { lineOf, loadServer, type ServerLoad } from "./server-load.js";

/** Partitions of the topic that a gateway writes to, unless a case is about them. */
export const PARTITIONS = 6;
/** A process compiles what it runs often; what it does before that is not measured, ms. */
const FIRST_WARM_UP_MS = 6_000;
const WARM_UP_MS = 1_500;

/** The gateway against a server that does nothing. */
export const GATEWAY_AGAINST_BARE: BenchCase = {
  name: "gateway-bare",
  title: "Gateway against a bare node:http server",
  needsContainers: true,
  run: async (lab, options) => {
    const gateway = await lab.gateway(await lab.topicForLoad(PARTITIONS));
    const bare = await lab.peer("bare node:http");
    const { ours, theirs } = await inTurn(
      { gateway: { server: gateway }, "bare node:http": { server: bare } },
      options,
    );
    await Promise.all([gateway.process.stop(), bare.process.stop()]);
    return {
      figures: [
        comparison(
          "gateway: CPU per durable report",
          "µs",
          ours.map((load) => load.cpuMicrosEach),
          { what: "bare node:http", runs: theirs.map((load) => load.cpuMicrosEach) },
          atMost(2.5),
        ),
        comparison(
          "gateway: durable reports/s",
          "/s",
          ours.map((load) => load.acceptedPerSecond),
          { what: "bare node:http", runs: theirs.map((load) => load.acceptedPerSecond) },
          atLeast(0.45),
        ),
      ],
      notes: [generatorNote(ours)],
    };
  },
};

/** The gateway against what one would write first. */
export const GATEWAY_AGAINST_PLAIN: BenchCase = {
  name: "gateway-plain",
  title:
    "Gateway against the plain way: Express 5, express.json(), Joi, one awaited send a request",
  needsContainers: true,
  run: async (lab, options) => {
    const gateway = await lab.gateway(await lab.topicForLoad(PARTITIONS));
    const plain = await plainGateway(lab);
    const { ours, theirs } = await inTurn(
      { gateway: { server: gateway }, "the plain way": { server: plain } },
      options,
    );
    await Promise.all([gateway.process.stop(), plain.process.stop()]);
    return {
      figures: [
        comparison(
          "gateway: durable reports/s",
          "/s",
          ours.map((load) => load.acceptedPerSecond),
          { what: "the plain way", runs: theirs.map((load) => load.acceptedPerSecond) },
          atLeast(4),
        ),
        comparison(
          "gateway: CPU per durable report",
          "µs",
          ours.map((load) => load.cpuMicrosEach),
          { what: "the plain way", runs: theirs.map((load) => load.cpuMicrosEach) },
        ),
      ],
      notes: [],
    };
  },
};

async function plainGateway(lab: Lab): Promise<RunningServer> {
  const { brokers } = await lab.kafka();
  const topic = await lab.topicForLoad(PARTITIONS);
  return await lab.peer("the plain way", { KAFKA_BROKERS: brokers.join(","), KAFKA_TOPIC: topic });
}

/** A server whose turn it is, and how its load differs from the usual one. */
interface Side {
  readonly server: RunningServer;
  readonly plan?: Partial<LoadPlan>;
}

/** Loads two servers one after the other, as often as there are rounds, the first one's turn coming first in every other. */
export async function inTurn(
  sides: Readonly<Record<string, Side>>,
  options: CaseOptions,
): Promise<{ readonly ours: ServerLoad[]; readonly theirs: ServerLoad[] }> {
  const [ours, theirs] = Object.entries(sides).map(([name, side]) => ({
    name,
    side,
    loads: [] as ServerLoad[],
  }));
  if (ours === undefined || theirs === undefined) throw new Error("Two servers are compared");
  for (let round = 0; round < options.rounds; round += 1) {
    const order = round % 2 === 0 ? [ours, theirs] : [theirs, ours];
    for (const { name, side, loads } of order) {
      const load = await loadServer(side.server, {
        warmUpMs: round === 0 ? FIRST_WARM_UP_MS : WARM_UP_MS,
        windowMs: options.windowMs,
        ...side.plan,
      });
      options.say(lineOf(name, load));
      loads.push(load);
    }
  }
  return { ours: ours.loads, theirs: theirs.loads };
}

function generatorNote(loads: readonly ServerLoad[]): string {
  const each = loads.map(({ result, accepted }) => (result.ownCpuMs * 1_000) / accepted);
  return `The load generator used ${(each.reduce((sum, one) => sum + one, 0) / each.length).toFixed(0)} µs of CPU a report.`;
}
