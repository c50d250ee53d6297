import { setTimeout as delay } from "node:timers/promises";
import { waitFor } from "@push-reports/test-support";
import type { IngestStep } from "../../../src/index.js";
import type { Pipeline } from "../../support/pipeline.js";
import { type Commit, commitOffsets, committedBy } from "../support/commit-offsets.js";
import type { FaultMaker } from "../support/fault.js";
import type { Random } from "../support/random.js";

/** The committed offsets go back: to somewhere, by hand, or to an earlier commit, as when their topic lost its end. */
export const committedOffsetSetBack: FaultMaker = (random) => {
  const step = random.pick<IngestStep | null>([null, "inserted", "ledger_written", "committed"]);
  const isByHand = random.chance(0.5);
  const end = step === null ? "a stop" : `a kill at ${step}`;
  return {
    title: `commits set back ${isByHand ? "by hand" : "to earlier ones"} after ${end}`,
    strike: async ({ group, pipeline, setBack }) => {
      const earlier = await committedEverywhere(pipeline);
      if (step === null) await group.stopAll();
      else {
        await group.holdOneAt(step, random.integer(2, 4));
        await group.killAll();
      }
      const latest = await committedBy(pipeline);
      const commits = isByHand ? somewhereBefore(latest, random) : earlier;
      setBack.push(
        ...commits.map(({ partition, offset }) => ({ partition, offset: Number(offset) })),
      );
      await commitOffsets(pipeline, commits);
      await group.start();
    },
  };
};

/** Retention removes records while their range is under way and nobody consumes. */
export const lowWatermarkMoved: FaultMaker = (random) => {
  const step = random.pick<IngestStep>(["intent_committed", "set_aside", "inserted"]);
  const isPast = random.chance(0.5);
  return {
    title: `the low watermark moved ${isPast ? "past" : "into"} a range that was at ${step}`,
    strike: async ({ group, pipeline, load, log }) => {
      const { range } = await group.holdOneAt(step, random.integer(1, 3));
      await group.killAll();
      const { partition, first, last } = range;
      const enough = load.produced + 30;
      while (isPast && load.produced < enough) await delay(20);
      const positions = await pipeline.admin.fetchTopicOffsets(pipeline.topic);
      const end = Number(positions.find((at) => at.partition === partition)?.high);
      const offset = isPast ? random.integer(last + 1, end) : random.integer(first + 1, last + 1);
      await log.removeBelow(partition, offset);
      await group.start();
    },
  };
};

/** What the group has committed, once it has for every partition. */
async function committedEverywhere(pipeline: Pipeline): Promise<readonly Commit[]> {
  return await waitFor(
    async () => {
      const commits = await committedBy(pipeline);
      return commits.every(({ offset }) => Number(offset) >= 0) ? commits : null;
    },
    { what: "a commit of every partition", timeoutMs: 60_000, intervalMs: 100 },
  );
}

function somewhereBefore(commits: readonly Commit[], random: Random): readonly Commit[] {
  return commits.map(({ partition, offset }) => ({
    partition,
    offset: String(random.integer(0, Number(offset))),
    metadata: "",
  }));
}
