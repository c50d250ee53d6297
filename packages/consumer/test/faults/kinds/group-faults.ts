import { waitFor } from "@push-reports/test-support";
import type { IngestStep } from "../../../src/index.js";
import type { HeldRange } from "../support/consumer-process.js";
import type { FaultMaker } from "../support/fault.js";
import type { World } from "../support/world.js";

const STEPS: readonly IngestStep[] = [
  "cut",
  "intent_committed",
  "set_aside",
  "inserted",
  "ledger_written",
  "committed",
];

/** A group does not grow beyond this. */
export const MAX_CONSUMERS = 3;

/** The consumer joins anew, since another comes, while it has a range in hand. */
export const rejoined: FaultMaker = (random) => {
  const step = random.pick(STEPS);
  return {
    title: `rejoined at ${step}`,
    strike: async ({ group }) => {
      const { consumer } = await group.holdOneAt(step, random.integer(1, 3));
      const before = consumer.assignments;
      const other = await group.start();
      await consumer.untilAssigned(before);
      await other.untilAssigned();
      consumer.letGo();
      if (group.running.length > MAX_CONSUMERS) await other.stop();
    },
  };
};

/** SIGSTOP until others have gone on with its partitions, then SIGCONT: it finds itself in the middle of an old range. */
export const zombie: FaultMaker = (random) => {
  const step = random.pick(STEPS);
  return {
    title: `a zombie at ${step}`,
    strike: async (world) => {
      const { group } = world;
      const { consumer, range } = await group.holdOneAt(step, random.integer(1, 3));
      consumer.freeze();
      if (group.running.length === 1) await group.start();
      await untilPassed(range, world);
      // It is told before it wakes, so that the old range goes on before kafkajs has noticed anything.
      consumer.letGo();
      consumer.thaw();
      if (group.running.length > MAX_CONSUMERS) await consumer.stop();
    },
  };
};

/** One more consumer during the load. */
export const consumerAdded: FaultMaker = () => ({
  title: "a consumer added",
  strike: async ({ group }) => {
    if (group.running.length >= MAX_CONSUMERS) await group.running[0]?.stop();
    await (await group.start()).untilAssigned();
  },
});

/** One consumer less during the load, after an orderly stop. */
export const consumerRemoved: FaultMaker = (random) => ({
  title: "a consumer removed",
  strike: async ({ group }) => {
    if (group.running.length === 1) await (await group.start()).untilAssigned();
    await random.pick(group.running).stop();
  },
});

/** Waits until somebody else has completed more of the partition than the range. */
export async function untilPassed(
  { partition, last }: HeldRange,
  { pipeline }: World,
): Promise<void> {
  await waitFor(
    async () => (await pipeline.one("max(last)", `ledger WHERE partition = ${partition}`)) > last,
    { what: `another consumer to pass ${partition}/${last}`, timeoutMs: 60_000, intervalMs: 100 },
  );
}
