import { connect } from "node:net";
import { afterEach, beforeAll, beforeEach, expect, it } from "@jest/globals";
import { createLogger, systemClock } from "@push-reports/service-kit";
import {
  createTopic,
  describeWithContainers,
  type KafkaEndpoint,
  sharedKafka,
  uniqueName,
  waitFor,
} from "@push-reports/test-support";
import {
  type Admin,
  type Consumer,
  type ConsumerConfig,
  Kafka,
  type KafkaConfig,
  logLevel,
  Partitioners,
} from "kafkajs";
import { KafkaRecordSource } from "../../src/kafka-record-source.js";
import {
  type AssignedPartition,
  EpochEndedError,
  type TakeLimits,
} from "../../src/record-source.js";
import { COORDINATOR_LOADING, NOT_COORDINATOR, RefusingProxy } from "../support/refusing-proxy.js";

/** kafkajs as it is; it shows the consumers that it makes, for a test to listen to. */
class ShowingKafka extends Kafka {
  readonly consumers: Consumer[] = [];

  override consumer(config: ConsumerConfig): Consumer {
    const consumer = super.consumer(config);
    this.consumers.push(consumer);
    return consumer;
  }
}

/** What kafkajs tells of a commit; its own types leave the metadata out. */
interface CommitEvent {
  readonly groupGenerationId: number;
  readonly topics: readonly {
    readonly partitions: readonly { readonly metadata?: string }[];
  }[];
}

describeWithContainers("the Kafka record source", ["kafka"], () => {
  let endpoint: KafkaEndpoint;
  let kafka: Kafka;
  let admin: Admin;
  let topic: string;
  let groupId: string;
  let sources: KafkaRecordSource[];
  const limits: TakeLimits = { maxRecords: 1_000, maxBytes: 1_000_000, maxDelayMs: 50 };

  beforeAll(async () => {
    endpoint = await sharedKafka();
  });
  beforeEach(async () => {
    sources = [];
    kafka = new Kafka({ brokers: [...endpoint.brokers], logLevel: logLevel.NOTHING });
    admin = kafka.admin();
    await admin.connect();
    topic = await createTopic(endpoint, { partitions: 2 });
    groupId = uniqueName("group");
  });
  afterEach(async () => {
    await Promise.all(sources.map((source) => source.stop()));
    await admin.disconnect();
  });

  const produce = async (partition: number, count: number, bytes = 2) => {
    const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
    await producer.connect();
    const value = "x".repeat(bytes);
    await producer.send({
      topic,
      messages: Array.from({ length: count }, () => ({ partition, value })),
    });
    await producer.disconnect();
  };
  const join = async (
    maxBufferedBytes = 10_000_000,
    way: Partial<KafkaConfig> = {},
    onAssigned: (kafka: ShowingKafka, partition: AssignedPartition) => void = () => undefined,
  ) => {
    const own = new ShowingKafka({
      brokers: [...endpoint.brokers],
      logLevel: logLevel.NOTHING,
      ...way,
    });
    const source = new KafkaRecordSource(
      own,
      {
        topic,
        groupId,
        sessionTimeoutMs: 3_000,
        heartbeatIntervalMs: 200,
        rebalanceTimeoutMs: 3_000,
        maxFetchWaitMs: 100,
        maxFetchBytes: 1_000_000,
        maxPartitionFetchBytes: 100_000,
        maxBatchBytes: 10_000_000,
        maxBufferedBytes,
        lentPercent: 75,
        maxRangeBytes: maxBufferedBytes,
      },
      systemClock,
      createLogger({ service: "test", level: "silent" }),
    );
    sources.push(source);
    const assigned: AssignedPartition[] = [];
    await source.start(
      (partition) => {
        assigned.push(partition);
        onAssigned(own, partition);
      },
      (error) => {
        throw error;
      },
      () => undefined,
    );
    const owned = (partition: number, epoch = 1) =>
      waitFor(() => assigned.filter((one) => one.partition === partition)[epoch - 1], {
        what: `epoch ${epoch} of partition ${partition}`,
        timeoutMs: 20_000,
      });
    return { source, owned, consumers: own.consumers };
  };
  const committed = async (partition: number) => {
    const [group] = await admin.fetchOffsets({ groupId, topics: [topic] });
    return group?.partitions.find((entry) => entry.partition === partition);
  };

  it("begins a new epoch instead of resetting when retention overtakes it, and keeps the intent", async () => {
    await produce(0, 100);
    const { owned } = await join();
    const first = await owned(0);
    first.startAt(0);
    expect(await first.take({ ...limits, maxRecords: 10 })).toHaveLength(10);
    await first.commit(10, "intent");
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: "60" }] });

    // The next owner is told to read what is gone.
    const other = await join();
    await waitFor(() => first.ended.aborted, { what: "the first epoch to end" });
    const second = await Promise.race([owned(0, 2), other.owned(0)]);
    second.startAt(10);
    await waitFor(() => second.ended.aborted, {
      what: "the epoch that reads below the log to end",
      timeoutMs: 20_000,
    });
    expect(await committed(0)).toMatchObject({ offset: "10", metadata: "intent" });
    const third = await Promise.race([owned(0, 3), other.owned(0, 2)]);
    expect(await third.position()).toMatchObject({ committedOffset: 10, lowWatermark: 60 });
    third.startAt(60);
    expect((await third.take(limits))[0]?.offset).toBe(60);
  });

  it("joins anew when a coordinator that is still loading refused the join, though the old membership lives on", async () => {
    const proxy = await RefusingProxy.listen(Number(endpoint.brokers[0]?.split(":")[1]));
    try {
      const { owned } = await join(10_000_000, {
        socketFactory: ({ onConnect }) => connect(proxy.port, "127.0.0.1", onConnect),
      });
      const first = await owned(0);
      first.startAt(0);
      proxy.refuse(
        { kind: "heartbeat", errorCode: NOT_COORDINATOR },
        { kind: "joinGroup", errorCode: COORDINATOR_LOADING },
      );
      await waitFor(() => first.ended.aborted, { what: "the first epoch to end" });
      const second = await owned(0, 2);
      expect(proxy.refusalsLeft).toBe(0);
      second.startAt(0);
      await produce(0, 3);
      expect(await second.take({ ...limits, maxRecords: 3 })).toHaveLength(3);
    } finally {
      await Promise.all(sources.splice(0).map((source) => source.stop()));
      await proxy.close();
    }
  });

  it("does not commit for an epoch that has ended, whoever owns the partition now", async () => {
    await produce(0, 10);
    await produce(1, 10);
    const { source, owned } = await join();
    const before = await Promise.all([owned(0), owned(1)]);
    for (const assigned of before) assigned.startAt(0);
    for (const assigned of before) await assigned.take(limits);
    await join();
    for (const assigned of before)
      await waitFor(() => assigned.ended.aborted, { what: "the epoch to end" });
    for (const assigned of before)
      await expect(assigned.commit(10, "")).rejects.toMatchObject({ code: "epoch_ended" });
    expect(source.lastActivityAt()).toBeGreaterThan(0);
    for (const { partition } of before)
      expect(await committed(partition)).toMatchObject({ offset: "-1" });
  });

  it("commits with the generation of the epoch that asks, through one rebalance after another", async () => {
    let joins = 0;
    const generations = new Map<string, Set<number>>();
    const committing: Promise<void>[] = [];
    const commitUntilEnded = async (assigned: AssignedPartition, epoch: string) => {
      try {
        // At any moment some commits wait for an answer, and some for their turn.
        for (;;) await Promise.all([1, 2, 3].map(() => assigned.commit(0, epoch)));
      } catch (error) {
        if (!(error instanceof EpochEndedError)) throw error;
      }
    };
    const first = await join(10_000_000, {}, (_own, assigned) =>
      committing.push(commitUntilEnded(assigned, String(joins))),
    );
    const [consumer] = first.consumers;
    // Heard after the record source has heard it, which therefore counts from 0.
    consumer?.on(consumer.events.GROUP_JOIN, () => {
      joins += 1;
    });
    consumer?.on(consumer.events.COMMIT_OFFSETS, ({ payload }) => {
      const { groupGenerationId, topics } = payload as unknown as CommitEvent;
      for (const { metadata = "" } of topics.flatMap(({ partitions }) => partitions)) {
        const seen = generations.get(metadata) ?? new Set();
        generations.set(metadata, seen.add(groupGenerationId));
      }
    });
    const committedIn = (epochs: number) =>
      waitFor(() => generations.size >= epochs, {
        what: `commits in ${epochs} epochs`,
        timeoutMs: 30_000,
      });

    await committedIn(1);
    for (let round = 1; round <= 3; round += 1) {
      const { source } = await join();
      await committedIn(2 * round);
      sources.splice(sources.indexOf(source), 1);
      await source.stop();
      await committedIn(2 * round + 1);
    }
    await first.source.stop();
    await Promise.all(committing);

    const ofEpochs = [...generations]
      .sort(([one], [other]) => Number(one) - Number(other))
      .map(([, seen]) => [...seen]);
    for (const seen of ofEpochs) expect(seen).toHaveLength(1);
    const inOrder = ofEpochs.flat();
    expect(inOrder).toEqual([...new Set(inOrder)].sort((a, b) => a - b));
  });

  it("stops fetching a partition whose records nobody takes, and goes on with the others", async () => {
    const { owned } = await join(200_000);
    const [slow, quick] = await Promise.all([owned(0), owned(1)]);
    slow.startAt(0);
    quick.startAt(0);
    for (let batch = 0; batch < 10; batch += 1) await produce(0, 100, 1_000);
    await produce(1, 5);
    expect(await quick.take({ ...limits, maxRecords: 5 })).toHaveLength(5);
    // What nobody has taken lies on the broker, not here: all of it comes once it is taken.
    expect(await slow.takeThrough(999)).toHaveLength(1_000);
  });
});
