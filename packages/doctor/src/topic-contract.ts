import { type Finding, failed, ok, warning } from "./finding.js";

/** A topic as the brokers describe it. */
export interface DescribedTopic {
  readonly topic: string;
  readonly partitions: readonly {
    readonly leader: number;
    readonly replicas: number;
    readonly inSync: number;
  }[];
  /** Effective settings by name. */
  readonly settings: ReadonlyMap<string, string>;
}

/** What a topic that holds reports must be like. */
export interface TopicNeeds {
  readonly replication: number;
  readonly retentionHours: number;
  readonly maxBatchBytes: number;
  readonly consumers: number;
}

const HOUR_MS = 3_600_000;
/** What a batch takes on the wire besides its records, at most, and what an estimate may be off. */
const BATCH_MARGIN_BYTES = 65_536;

/** Whether acknowledged records survive the loss of a broker: replicas, how many must have them, who may lead. */
export function judgeReplication(described: DescribedTopic, replication: number): Finding[] {
  const { topic, partitions, settings } = described;
  const check = `topic ${topic}`;
  const fewest = Math.min(...partitions.map(({ replicas }) => replicas));
  const inSyncNeeded = Number(settings.get("min.insync.replicas"));
  const leaderless = partitions.filter(({ leader }) => leader < 0).length;
  const lagging = partitions.filter(({ inSync, replicas }) => inSync < replicas).length;
  return [
    leaderless === 0
      ? ok(`${check}: leaders`, `all ${partitions.length} partitions have one.`)
      : failed(
          `${check}: leaders`,
          `${leaderless} of ${partitions.length} partitions have none.`,
          "bring the brokers back that hold them.",
        ),
    fewest >= replication
      ? ok(`${check}: replication`, `${fewest} replicas.`)
      : failed(
          `${check}: replication`,
          `${fewest} replicas where ${replication} are expected: a lost disk loses reports that were answered 200.`,
          "reassign the partitions to more brokers (kafka-reassign-partitions.sh), or set EXPECTED_REPLICATION where that is meant to be so.",
        ),
    lagging === 0
      ? ok(`${check}: in-sync replicas`, "all replicas are in sync.")
      : warning(
          `${check}: in-sync replicas`,
          `${lagging} partitions have replicas that are behind.`,
          "look at the brokers' logs.",
        ),
    inSyncNeeded >= Math.max(1, replication - 1)
      ? ok(`${check}: min.insync.replicas`, `${inSyncNeeded}.`)
      : failed(
          `${check}: min.insync.replicas`,
          `${inSyncNeeded}: a report may be acknowledged by one broker alone.`,
          `set min.insync.replicas=${Math.max(1, replication - 1)}.`,
        ),
    settings.get("unclean.leader.election.enable") === "false"
      ? ok(`${check}: unclean.leader.election.enable`, "false.")
      : failed(
          `${check}: unclean.leader.election.enable`,
          "true: a replica that lacks acknowledged records may become leader, and they are gone.",
          "set unclean.leader.election.enable=false.",
        ),
  ];
}

/** The topic contract: what must be so that every record is read once, by its offset. */
export function judgeRecordsTopic(described: DescribedTopic, needs: TopicNeeds): Finding[] {
  const { topic, partitions, settings } = described;
  const check = `topic ${topic}`;
  const setting = (name: string) => settings.get(name) ?? "";
  const largest = Number(setting("max.message.bytes"));
  const largestNeeded = needs.maxBatchBytes + BATCH_MARGIN_BYTES;
  return [
    partitions.length >= needs.consumers
      ? ok(`${check}: partitions`, `${partitions.length} for at most ${needs.consumers} consumers.`)
      : failed(
          `${check}: partitions`,
          `${partitions.length} for ${needs.consumers} consumers: the rest of them have nothing to do.`,
          `raise the topic to ${needs.consumers} partitions or more (kafka-topics.sh --alter --partitions).`,
        ),
    setting("cleanup.policy") === "delete"
      ? ok(`${check}: cleanup.policy`, "delete.")
      : failed(
          `${check}: cleanup.policy`,
          `${setting("cleanup.policy")}: compaction deletes all reports of a device but its last.`,
          "set cleanup.policy=delete.",
        ),
    judgeRetention(check, setting("retention.ms"), needs.retentionHours),
    Number(setting("retention.bytes")) < 0
      ? ok(`${check}: retention.bytes`, "no limit.")
      : warning(
          `${check}: retention.bytes`,
          `${setting("retention.bytes")} bytes a partition: a burst may push records out before retention.ms.`,
          `make sure that it holds ${needs.retentionHours} hours of the greatest traffic, or set retention.bytes=-1.`,
        ),
    setting("message.timestamp.type") === "CreateTime"
      ? ok(`${check}: message.timestamp.type`, "CreateTime.")
      : failed(
          `${check}: message.timestamp.type`,
          `${setting("message.timestamp.type")}: the time of receipt is overwritten.`,
          "set message.timestamp.type=CreateTime.",
        ),
    judgeOldest(check, settings.get("message.timestamp.before.max.ms"), needs.retentionHours),
    largest >= largestNeeded
      ? ok(`${check}: max.message.bytes`, `${largest}.`)
      : failed(
          `${check}: max.message.bytes`,
          `${largest}, less than a batch of MAX_BATCH_BYTES may have: batches are refused and answered 503.`,
          `set max.message.bytes=${largestNeeded} or more, or lower MAX_BATCH_BYTES.`,
        ),
  ];
}

/** Dead letters are records of the topic with headers that say why: what is too long for that goes there without its value. */
export function judgeDeadLetterTopic(
  { topic, settings }: DescribedTopic,
  records: DescribedTopic,
): Finding {
  const check = `topic ${topic}: max.message.bytes`;
  const largest = Number(settings.get("max.message.bytes"));
  const needed = Number(records.settings.get("max.message.bytes")) + BATCH_MARGIN_BYTES;
  if (largest >= needed) return ok(check, `${largest}.`);
  return warning(
    check,
    `${largest}, less than a record of ${records.topic} may have with the reason why it was set aside: a longer one goes there without its value, and whole into the table dead_letters only.`,
    `set max.message.bytes=${Math.max(needed, 10_485_760)}.`,
  );
}

function judgeRetention(check: string, text: string, neededHours: number): Finding {
  const hours = Number(text) / HOUR_MS;
  if (hours < 0) return ok(`${check}: retention.ms`, "kept for ever.");
  if (hours >= neededHours) return ok(`${check}: retention.ms`, `${Math.floor(hours)} hours.`);
  return failed(
    `${check}: retention.ms`,
    `${hours.toFixed(1)} hours: an outage of ${neededHours} hours loses reports.`,
    `set retention.ms=${neededHours * HOUR_MS} or more.`,
  );
}

function judgeOldest(check: string, text: string | undefined, neededHours: number): Finding {
  const name = `${check}: message.timestamp.before.max.ms`;
  // Brokers before 3.6 do not know the setting and take records of any age.
  if (text === undefined) return ok(name, "records of any age are taken.");
  if (Number(text) >= neededHours * HOUR_MS) return ok(name, `${text}.`);
  return failed(
    name,
    `${text}: records that a gateway kept on its disk for longer are refused when it sends them.`,
    `set message.timestamp.before.max.ms=${neededHours * HOUR_MS} or more.`,
  );
}
