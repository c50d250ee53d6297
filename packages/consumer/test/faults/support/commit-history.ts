import { readTopic, type TopicRecord } from "@push-reports/test-support";
import type { Pipeline } from "../../support/pipeline.js";

/** Where Kafka keeps what groups commit, in order: the group's coordinator is the leader of one of its partitions. */
const OFFSETS_TOPIC = "__consumer_offsets";

/** One commit of the group. */
export interface CommittedOffset {
  readonly partition: number;
  readonly offset: number;
}

/**
 * The offsets of a group that went back although nobody set them back: only a commit by somebody whose partition has gone to another
 * can do that. The coordinator takes it from any member of the present generation, so that the fence is the consumer's own.
 * @param setBack what the test committed in the group's name.
 */
export async function commitFaults(
  brokers: readonly string[],
  { name, topic }: Pipeline,
  setBack: readonly CommittedOffset[],
): Promise<readonly string[]> {
  const commits = (await readTopic(brokers, OFFSETS_TOPIC)).flatMap((record) =>
    commitOf(record, name, topic),
  );
  if (commits.length === 0) return [`${OFFSETS_TOPIC} has no commit of ${name}`];
  const lawful = [...setBack];
  const latest = new Map<number, number>();
  const faults: string[] = [];
  for (const { partition, offset } of commits) {
    const before = latest.get(partition) ?? 0;
    latest.set(partition, offset);
    if (offset >= before) continue;
    const at = lawful.findIndex((one) => one.partition === partition && one.offset === offset);
    if (at >= 0) lawful.splice(at, 1);
    else faults.push(`the committed offset of ${partition} went back from ${before} to ${offset}`);
  }
  return faults;
}

/** Reads `OffsetCommitKey` and `OffsetCommitValue` of Kafka's coordinator; whatever else lies there is nothing. */
function commitOf({ key, value }: TopicRecord, group: string, topic: string): CommittedOffset[] {
  if (key === null || value === null || key.readInt16BE(0) > 1) return [];
  const [ofGroup, afterGroup] = textAt(key, 2);
  const [ofTopic, afterTopic] = textAt(key, afterGroup);
  if (ofGroup !== group || ofTopic !== topic) return [];
  return [{ partition: key.readInt32BE(afterTopic), offset: Number(value.readBigInt64BE(2)) }];
}

/** A text with its length before it, and where it ends. */
function textAt(bytes: Buffer, at: number): readonly [string, number] {
  const from = at + 2;
  const to = from + bytes.readInt16BE(at);
  return [bytes.toString("utf8", from, to), to];
}
