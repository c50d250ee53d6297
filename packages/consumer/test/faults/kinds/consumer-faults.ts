import { setTimeout as delay } from "node:timers/promises";
import type { IngestStep } from "../../../src/index.js";
import { keptBack } from "../support/answers.js";
import type { ConsumerProcess } from "../support/consumer-process.js";
import type { FaultMaker } from "../support/fault.js";

/** SIGKILL when a range has reached a step. */
export const killedAt =
  (step: IngestStep): FaultMaker =>
  (random) => {
    const after = random.integer(1, 4);
    return {
      title: `killed at ${step}`,
      strike: async ({ group }) => {
        const { consumer } = await group.holdOneAt(step, after);
        await consumer.kill();
        await group.start();
      },
    };
  };

/** SIGKILL during an insert, which reaches ClickHouse only when the successor may have done it already. */
export const killedDuringInsert: FaultMaker = (random) => {
  const lateMs = random.pick([0, 500, 1_500, 3_000]);
  return {
    title: `killed during an insert that arrives ${lateMs} ms later`,
    strike: async ({ group }) => {
      let release = () => {};
      const released = new Promise<void>((resolve) => {
        release = resolve;
      });
      let owner: ConsumerProcess | undefined;
      const kept = keptBack((proxy) => {
        owner = group.behind(proxy);
      }, released);
      await group.answers.plan("reports", kept);
      await owner?.kill();
      await group.start();
      await delay(lateMs);
      release();
    },
  };
};

/** SIGTERM while a range is in hand, which gets on in time or only after the stop has given it up. */
export const stoppedAt: FaultMaker = (random) => {
  const step = random.pick<IngestStep>([
    "cut",
    "intent_committed",
    "set_aside",
    "inserted",
    "ledger_written",
  ]);
  const isGivenUp = random.chance(0.5);
  return {
    title: `stopped at ${step}, which ${isGivenUp ? "is given up" : "gets on"}`,
    strike: async ({ group }) => {
      const { consumer } = await group.holdOneAt(step, 1);
      consumer.beginStop();
      await (isGivenUp ? consumer.untilGivenUp() : delay(random.integer(0, 300)));
      consumer.letGo();
      await consumer.stop();
      await group.start();
    },
  };
};
