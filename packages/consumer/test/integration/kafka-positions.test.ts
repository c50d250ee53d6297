import { connect } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "@jest/globals";
import {
  createTopic,
  describeWithContainers,
  freePort,
  HoldingProxy,
  sharedKafka,
  uniqueName,
  waitFor,
} from "@push-reports/test-support";
import { type Admin, Kafka, logLevel } from "kafkajs";
import { KafkaPositions } from "../../src/kafka-positions.js";

/** A request that is held is not given up before the test has ended, ms. */
const REQUEST_TIMEOUT_MS = 60_000;

describeWithContainers("where the group stands, as the epochs read it,", ["kafka"], () => {
  let brokers: readonly string[];
  let admin: Admin;
  let proxy: HoldingProxy;
  let positions: KafkaPositions;
  let commit: (offset: number) => Promise<void>;

  beforeAll(async () => {
    brokers = (await sharedKafka()).brokers;
    admin = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
  });
  afterAll(async () => admin?.disconnect());
  beforeEach(async () => {
    const port = await freePort();
    proxy = await HoldingProxy.listen(port, Number(brokers[0]?.split(":")[1]));
    const at = {
      topic: await createTopic({ brokers }, { partitions: 2 }),
      groupId: uniqueName("group"),
    };
    const kafka = new Kafka({
      brokers: [...brokers],
      logLevel: logLevel.NOTHING,
      requestTimeout: REQUEST_TIMEOUT_MS,
      socketFactory: ({ onConnect }) => connect(port, "127.0.0.1", onConnect),
    });
    positions = new KafkaPositions(() => kafka.admin(), at);
    await positions.connect();
    commit = async (offset) => {
      const partitions = [{ partition: 0, offset: String(offset) }];
      await admin.setOffsets({ ...at, partitions });
    };
  });
  afterEach(async () => {
    await proxy.release();
    await positions.disconnect();
    await proxy.close();
  });

  it("are the broker's word of after the epoch began, though a reading of the epoch before still hangs", async () => {
    await commit(3);
    expect(await positions.forEpoch()(0)).toMatchObject({ committedOffset: 3 });
    proxy.hold();
    const hanging = Promise.allSettled([positions.forEpoch()(0)]);
    await waitFor(() => proxy.heldBytes > 0, { what: "the reading to hang" });
    await commit(7);

    const read = positions.forEpoch();
    const answers = Promise.all([read(0), read(1)]);
    const late = new Promise((resolve) => setTimeout(resolve, 10_000, "late").unref());
    expect(await Promise.race([answers, late])).toMatchObject([
      { committedOffset: 7 },
      { committedOffset: null },
    ]);
    await proxy.release();
    await hanging;
  });

  it("are shared by partitions of one epoch that ask at the same time", async () => {
    const read = positions.forEpoch();
    await read(0);
    proxy.hold();
    const asking = [read(0), read(1)];
    await waitFor(() => proxy.heldBytes > 0, { what: "the reading to begin" });
    const { heldBytes } = proxy;
    const joining = read(1);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(proxy.heldBytes).toBe(heldBytes);
    await proxy.release();
    expect(await Promise.all([...asking, joining])).toHaveLength(3);
  });
});
