import { waitFor } from "@push-reports/test-support";
import type { Pipeline } from "../../support/pipeline.js";

/** What is committed for one partition. */
export interface Commit {
  readonly partition: number;
  readonly offset: string;
  readonly metadata: string;
}

/** What the group has committed for each partition of the topic. */
export async function committedBy({ admin, name, topic }: Pipeline): Promise<readonly Commit[]> {
  // A coordinator that has just been elected, or come back, does not answer yet.
  const [found] = await waitFor(() => admin.fetchOffsets({ groupId: name, topics: [topic] }), {
    what: "the group's coordinator to answer",
    timeoutMs: 20_000,
  });
  return (found?.partitions ?? []).map(({ partition, offset, metadata }) => ({
    partition,
    offset,
    metadata: metadata ?? "",
  }));
}

/** Waits until the group has no members, then commits in its name; kafkajs' own admin would drop the metadata. */
export async function commitOffsets(
  { admin, kafka, name: groupId, topic }: Pipeline,
  commits: readonly Commit[],
): Promise<void> {
  const isEmpty = async () => (await admin.describeGroups([groupId])).groups[0]?.state === "Empty";
  await waitFor(isEmpty, { what: "the group to be empty", timeoutMs: 20_000 });
  const consumer = kafka.consumer({ groupId, sessionTimeout: 10_000, retry: { retries: 2 } });
  await consumer.connect();
  try {
    const joined = new Promise<void>((resolve) => {
      consumer.on(consumer.events.GROUP_JOIN, () => {
        // Nothing may be fetched: an offset out of range would make kafkajs commit something else.
        consumer.pause([{ topic }]);
        resolve();
      });
    });
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({ autoCommit: false, eachBatch: async () => undefined });
    await joined;
    await consumer.commitOffsets(commits.map((commit) => ({ topic, ...commit })));
  } finally {
    await consumer.disconnect();
  }
}
