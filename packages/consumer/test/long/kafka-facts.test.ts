import { afterAll, beforeAll, beforeEach, expect, it } from "@jest/globals";
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
  type EachBatchHandler,
  type EachBatchPayload,
  Kafka,
  logLevel,
  Partitioners,
} from "kafkajs";

/*
 * What the protocol rests on, asked of kafkajs as it is. When one of these fails after an upgrade, the protocol needs a new
 * look at that point.
 */
describeWithContainers("kafkajs and Kafka, as the protocol needs them,", ["kafka"], () => {
  let kafka: Kafka;
  let admin: Admin;
  let endpoint: KafkaEndpoint;
  let topic: string;
  let groupId: string;
  const consumers: Consumer[] = [];
  const assignments = new Map<Consumer, readonly number[]>();

  beforeAll(async () => {
    endpoint = await sharedKafka();
    kafka = new Kafka({ brokers: [...endpoint.brokers], logLevel: logLevel.NOTHING });
    admin = kafka.admin();
    await admin.connect();
  });
  afterAll(async () => {
    await Promise.all(consumers.map((consumer) => consumer.disconnect()));
    await admin.disconnect();
  });
  beforeEach(async () => {
    topic = await createTopic(endpoint, { partitions: 2 });
    groupId = uniqueName("group");
  });

  const produce = async (partition: number, count: number) => {
    const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
    await producer.connect();
    const messages = Array.from({ length: count }, (_, i) => ({ partition, value: `v${i}` }));
    await producer.send({ topic, messages });
    await producer.disconnect();
  };
  const consume = async (
    eachBatch: EachBatchHandler,
    {
      fromBeginning = true,
      onJoin = () => undefined,
      ...config
    }: Partial<ConsumerConfig> & {
      fromBeginning?: boolean;
      onJoin?: (consumer: Consumer) => void;
    } = {},
  ) => {
    const consumer = kafka.consumer({
      groupId,
      maxWaitTimeInMs: 100,
      heartbeatInterval: 300,
      ...config,
    });
    consumers.push(consumer);
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      assignments.set(consumer, payload.memberAssignment[topic] ?? []);
      onJoin(consumer);
    });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning });
    const run = { autoCommit: false, eachBatchAutoResolve: false, eachBatch };
    await consumer.run({ ...run, partitionsConsumedConcurrently: 4 });
    return consumer;
  };
  const committed = async (partition: number) => {
    const [group] = await admin.fetchOffsets({ groupId, topics: [topic] });
    return group?.partitions.find((entry) => entry.partition === partition);
  };
  const commitOf = (
    { commitOffsetsIfNecessary }: EachBatchPayload,
    partition: number,
    offset: number,
    metadata: string,
  ) =>
    commitOffsetsIfNecessary({
      topics: [{ topic, partitions: [{ partition, offset: String(offset), metadata } as never] }],
    });
  const firstBatch = async (partition: number) => {
    let found: (payload: EachBatchPayload) => void;
    const batch = new Promise<EachBatchPayload>((resolve) => {
      found = resolve;
    });
    const consumer = await consume(async (payload) => {
      payload.resolveOffset(payload.batch.lastOffset());
      if (payload.batch.partition === partition) found(payload);
    });
    return { consumer, payload: await batch };
  };

  it("keep metadata of an intent's size with an offset that does not move", async () => {
    await produce(0, 10);
    const { payload } = await firstBatch(0);
    const metadata = JSON.stringify({ name: "x".repeat(3_000) });
    await commitOf(payload, 0, 0, metadata);
    expect(await committed(0)).toMatchObject({ offset: "0", metadata });
  });

  it("refuse metadata beyond 4 KiB, which no intent has", async () => {
    await produce(0, 10);
    const { payload } = await firstBatch(0);
    await expect(commitOf(payload, 0, 0, "x".repeat(5_000))).rejects.toThrow();
  });

  it("commit through a batch's payload while stopping, where the consumer's own call resolves without committing", async () => {
    await produce(0, 10);
    let stopped: Promise<void> | null = null;
    const outcome = new Promise<{ own: unknown; payload: unknown }>((resolve) => {
      void consume(async (payload) => {
        if (payload.batch.partition !== 0 || stopped !== null) return;
        const consumer = consumers.at(-1);
        stopped = consumer?.stop() ?? null;
        await waitFor(() => !payload.isRunning(), { what: "the stop to begin" });
        await consumer?.commitOffsets([{ topic, partition: 0, offset: "5" }]);
        const own = await committed(0);
        await commitOf(payload, 0, 7, "payload");
        resolve({ own, payload: await committed(0) });
      });
    });
    expect(await outcome).toMatchObject({
      own: { offset: "-1" },
      payload: { offset: "7", metadata: "payload" },
    });
  });

  it("skip by default what was written before a group first joined", async () => {
    await produce(0, 3);
    const seen: string[] = [];
    await consume(
      async ({ batch, resolveOffset }) => {
        seen.push(...batch.messages.map(({ offset }) => offset));
        resolveOffset(batch.lastOffset());
      },
      { fromBeginning: false },
    );
    // It joins, finds the end, and only then sees what comes.
    await waitFor(
      async () => {
        await produce(0, 1);
        return seen.length > 0;
      },
      { what: "a record written after the join", intervalMs: 500 },
    );
    expect(Number(seen[0])).toBeGreaterThanOrEqual(3);
  });

  it("accept a commit for a partition that another member owns", async () => {
    const payloads = new Map<Consumer, EachBatchPayload>();
    const join = async () => {
      const holder: { consumer?: Consumer } = {};
      const consumer = await consume(async (payload) => {
        if (holder.consumer) payloads.set(holder.consumer, payload);
      });
      holder.consumer = consumer;
      return consumer;
    };
    const first = await join();
    const second = await join();
    await waitFor(
      () => assignments.get(first)?.length === 1 && assignments.get(second)?.length === 1,
      { what: "one partition each" },
    );
    await produce(0, 5);
    await produce(1, 5);
    await waitFor(() => payloads.has(first), { what: "a batch of the first member" });
    const [other] = assignments.get(second) ?? [];
    await commitOf(payloads.get(first) as EachBatchPayload, other as number, 5, "not mine");
    expect(await committed(other as number)).toMatchObject({ offset: "5", metadata: "not mine" });
  });

  it("drop an intent when kafkajs itself resets an offset that is out of range", async () => {
    await produce(0, 100);
    const before = await firstBatch(0);
    await commitOf(before.payload, 0, 20, '{"v":1}');
    await before.consumer.disconnect();
    expect(await committed(0)).toMatchObject({ offset: "20", metadata: '{"v":1}' });
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: "50" }] });
    const { payload } = await firstBatch(0);
    expect(payload.batch.firstOffset()).toBe("50");
    expect((await committed(0))?.metadata).not.toBe('{"v":1}');
  });

  it("let one slow handler hold up every partition of a broker", async () => {
    await produce(0, 1);
    await produce(1, 1);
    let release: () => void = () => undefined;
    const slow = new Promise<void>((resolve) => {
      release = resolve;
    });
    const seen: number[] = [];
    await consume(async ({ batch, resolveOffset }) => {
      resolveOffset(batch.lastOffset());
      if (batch.partition === 0) await slow;
      else seen.push(Number(batch.lastOffset()));
    });
    await waitFor(() => seen.length === 1, { what: "the other partition's first batch" });
    await produce(1, 1);
    // Ten fetch waits: time enough, were the fetch not held up.
    await expect(
      waitFor(() => seen.length === 2, { what: "its second batch", timeoutMs: 1_000 }),
    ).rejects.toThrow();
    release();
    await waitFor(() => seen.length === 2, { what: "its second batch" });
  });

  it("announce a join before they fetch for it, so that a pause made then holds until it is lifted", async () => {
    await produce(0, 5);
    const seen: string[] = [];
    const consumer = await consume(
      async ({ batch, resolveOffset }) => {
        seen.push(...batch.messages.map(({ offset }) => offset));
        resolveOffset(batch.lastOffset());
      },
      { onJoin: (joined) => joined.pause([{ topic, partitions: [0, 1] }]) },
    );
    await waitFor(() => assignments.has(consumer), { what: "the join" });
    let fetches = 0;
    consumer.on(consumer.events.FETCH, () => {
      fetches += 1;
    });
    // A seek in the pause is where delivery begins afterwards.
    consumer.seek({ topic, partition: 0, offset: "2" });
    await expect(
      waitFor(() => seen.length > 0, { what: "a batch in spite of the pause", timeoutMs: 1_500 }),
    ).rejects.toThrow();
    consumer.resume([{ topic, partitions: [0, 1] }]);
    await waitFor(() => seen.length > 0, { what: "a batch after the pause" });
    expect(seen[0]).toBe("2");
    expect(fetches).toBeGreaterThan(0);
  });
});
