import { describe, expect, it } from "@jest/globals";
import {
  type DescribedTopic,
  judgeDeadLetterTopic,
  judgeRecordsTopic,
  judgeReplication,
} from "../../src/topic-contract.js";

const NEEDS = { replication: 3, retentionHours: 72, maxBatchBytes: 524_288, consumers: 12 };

function aTopic(
  settings: Readonly<Record<string, string>> = {},
  partition: Partial<DescribedTopic["partitions"][number]> = {},
): DescribedTopic {
  return {
    topic: "push-reports",
    partitions: Array.from({ length: 12 }, () => ({
      leader: 1,
      replicas: 3,
      inSync: 3,
      ...partition,
    })),
    settings: new Map(
      Object.entries({
        "cleanup.policy": "delete",
        "retention.ms": String(7 * 24 * 3_600_000),
        "retention.bytes": "-1",
        "message.timestamp.type": "CreateTime",
        "message.timestamp.before.max.ms": "9223372036854775807",
        "max.message.bytes": "1048588",
        "min.insync.replicas": "2",
        "unclean.leader.election.enable": "false",
        ...settings,
      }),
    ),
  };
}

const judge = (topic: DescribedTopic, needs = NEEDS) => [
  ...judgeReplication(topic, needs.replication),
  ...judgeRecordsTopic(topic, needs),
];
const troubles = (topic: DescribedTopic, needs = NEEDS) =>
  judge(topic, needs)
    .filter(({ status }) => status !== "ok")
    .map(({ check, status }) => `${status} ${check.replace("topic push-reports: ", "")}`);

describe("the topic contract", () => {
  it("finds nothing wrong with a topic as it should be", () => {
    expect(troubles(aTopic())).toEqual([]);
    expect(troubles(aTopic({ "retention.ms": "-1" }))).toEqual([]);
  });

  it.each([
    [{ "cleanup.policy": "compact" }, "failed cleanup.policy"],
    [{ "cleanup.policy": "compact,delete" }, "failed cleanup.policy"],
    [{ "retention.ms": "3600000" }, "failed retention.ms"],
    [{ "retention.bytes": "1000000" }, "warning retention.bytes"],
    [{ "message.timestamp.type": "LogAppendTime" }, "failed message.timestamp.type"],
    [{ "message.timestamp.before.max.ms": "60000" }, "failed message.timestamp.before.max.ms"],
    [{ "max.message.bytes": "100000" }, "failed max.message.bytes"],
    [{ "min.insync.replicas": "1" }, "failed min.insync.replicas"],
    [{ "unclean.leader.election.enable": "true" }, "failed unclean.leader.election.enable"],
  ])("finds %j", (settings, trouble) => {
    expect(troubles(aTopic(settings))).toEqual([trouble]);
  });

  it.each([
    [{ replicas: 1, inSync: 1 }, "failed replication"],
    [{ inSync: 2 }, "warning in-sync replicas"],
    [{ leader: -1 }, "failed leaders"],
  ])("finds partitions that have %j", (partition, trouble) => {
    expect(troubles(aTopic({}, partition))).toEqual([trouble]);
  });

  it("finds fewer partitions than consumers", () => {
    expect(troubles(aTopic(), { ...NEEDS, consumers: 13 })).toEqual(["failed partitions"]);
  });

  it("takes one replica where that is expected", () => {
    const single = aTopic({ "min.insync.replicas": "1" }, { replicas: 1, inSync: 1 });
    expect(troubles(single, { ...NEEDS, replication: 1 })).toEqual([]);
  });

  it("says what to do about everything that is not well", () => {
    const findings = judge(
      aTopic({ "cleanup.policy": "compact", "retention.bytes": "1" }, { replicas: 1, leader: -1 }),
    );
    for (const { status, fix } of findings) expect(fix === "").toBe(status === "ok");
  });

  it("wants dead letters to be longer than records may be, by what says why", () => {
    const judged = (bytes: number) =>
      judgeDeadLetterTopic(aTopic({ "max.message.bytes": String(bytes) }), aTopic()).status;
    expect([judged(1_048_588), judged(10_485_760)]).toEqual(["warning", "ok"]);
  });
});
