import { setTimeout as delay } from "node:timers/promises";
import { waitFor } from "@push-reports/test-support";
import type { IngestStep } from "../../../src/index.js";
import type { Holder } from "../support/consumer-group.js";
import type { Peer } from "../support/consumer-network.js";
import type { FaultMaker } from "../support/fault.js";
import type { Cut, Heal } from "../support/network-link.js";
import type { Random } from "../support/random.js";
import type { World } from "../support/world.js";
import { MAX_CONSUMERS, untilPassed } from "./group-faults.js";

/** Behind each of these a range asks something of Kafka or, behind the earlier ones, of ClickHouse. */
const STEPS: Readonly<Record<Peer, readonly IngestStep[]>> = {
  Kafka: ["cut", "intent_committed", "set_aside", "inserted", "ledger_written", "committed"],
  ClickHouse: ["cut", "intent_committed", "set_aside", "inserted"],
};
/** How long packets go nowhere, ms: longer than the session timeout; shorter and longer than an insert may take. */
const SILENCES_MS: Readonly<Record<Peer, readonly number[]>> = {
  Kafka: [1_500, 2_500],
  ClickHouse: [500, 2_500, 3_500],
};
const HEALS: readonly Heal[] = ["late", "lost"];
/** How long it may take until somebody sends something over a path that is cut, ms. */
const MET_TIMEOUT_MS = 60_000;

/** When and for whom a path is cut. */
interface Plan {
  readonly peer: Peer;
  readonly cut: Cut;
  /** The consumer whose range is at `step`, or all of them. */
  readonly whose: "one" | "every";
  readonly step: IngestStep;
  /** The how many-th range at the step. */
  readonly after: number;
}

/** Connections of consumers are reset, and new ones are too, until the network is mended. */
export const connectionsReset =
  (peer: Peer): FaultMaker =>
  (random) => {
    const plan = planOf({ peer, cut: "reset", whose: random.pick(["one", "every"]) }, random);
    const ms = random.integer(100, 2_000);
    return {
      title: `${plan.whose} consumer's connections to ${peer} reset at ${plan.step} for ${ms} ms`,
      strike: async (world) => {
        const { heal } = await cutOff(world, plan);
        await delay(ms);
        heal("lost");
      },
    };
  };

/** Packets between consumers and a service go nowhere, of Kafka's for longer than every consumer's session. */
export const packetsLost =
  (peer: Peer): FaultMaker =>
  (random) => {
    const whose = peer === "Kafka" ? "every" : random.pick(["one", "every"] as const);
    const plan = planOf({ peer, cut: "black_hole", whose }, random);
    const ms = random.pick(SILENCES_MS[peer]);
    const fate = random.pick(HEALS);
    return {
      title: `${plan.whose} consumer's packets to ${peer} ${fate} at ${plan.step} for ${ms} ms`,
      strike: async (world) => {
        const { heal } = await cutOff(world, plan);
        await delay(ms);
        heal(fate);
      },
    };
  };

/** A zombie that never sleeps: packets between one consumer and Kafka go nowhere until others have gone on with its partitions. */
export const replacedWhileCutOff: FaultMaker = (random) => {
  const plan = planOf({ peer: "Kafka", cut: "black_hole", whose: "one" }, random);
  const fate = random.pick(HEALS);
  return {
    title: `one consumer's packets to Kafka ${fate} at ${plan.step} until others have its partitions`,
    strike: async (world) => {
      const { group } = world;
      if (group.running.length === 1) await (await group.start()).untilAssigned();
      const { consumer, range, heal } = await cutOff(world, plan);
      await untilPassed(range, world);
      const before = consumer.assignments;
      heal(fate);
      await consumer.untilAssigned(before);
      if (group.running.length > MAX_CONSUMERS) await consumer.stop();
    },
  };
};

function planOf(plan: Pick<Plan, "peer" | "cut" | "whose">, random: Random): Plan {
  return { ...plan, step: random.pick(STEPS[plan.peer]), after: random.integer(1, 3) };
}

/** Cuts a path right behind a step; resolves once the consumer at that step has asked for something in vain. */
async function cutOff(
  { group }: World,
  { peer, cut, whose, step, after }: Plan,
): Promise<Holder & { readonly heal: (heal: Heal) => void }> {
  const holder = await group.holdOneAt(step, after);
  const { consumer } = holder;
  const consumers = whose === "one" ? [consumer] : group.running;
  const links = consumers.flatMap(({ network }) => network.to(peer));
  for (const link of links) link.cut(cut);
  consumer.letGo();
  await waitFor(() => consumer.network.to(peer).some(({ met }) => met > 0), {
    what: `a consumer to ask something of ${peer} over the path that is cut`,
    timeoutMs: MET_TIMEOUT_MS,
    intervalMs: 10,
  });
  return {
    ...holder,
    heal: (heal) => {
      for (const link of links) link.heal(heal);
    },
  };
}
