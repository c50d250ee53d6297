import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "@jest/globals";
import {
  createTopic,
  describeWithContainers,
  type KafkaCluster,
  readTopic,
  reportPublisherContract,
  sharedKafka,
  startKafka,
  waitFor,
} from "@push-reports/test-support";
import { aKafkaPublisher, aRecord, makeKafkaPublisher } from "../support/kafka-publisher.js";
import { type LateKafka, startLateKafka } from "../support/late-kafka.js";
import { PublishLoad } from "../support/publish-load.js";
import { rowsOfTopic } from "../support/rows-of-topic.js";

const spilledRecords = (details: unknown) =>
  (details as { readonly spill: { readonly records: number } }).spill.records;

let spillDir: string;
beforeEach(async () => {
  spillDir = await mkdtemp(join(tmpdir(), "spill-"));
});
afterEach(() => rm(spillDir, { recursive: true, force: true }));

describeWithContainers("the publisher with a spill, under load", ["docker"], () => {
  let kafka: KafkaCluster;
  beforeAll(async () => {
    // Kafka must not give up a broker that hangs before the gateway stops waiting for it, or nothing need be spilled.
    kafka = await startKafka({
      brokers: 2,
      environment: { KAFKA_BROKER_SESSION_TIMEOUT_MS: "12000" },
    });
  });
  afterAll(() => kafka?.stop());

  /** Runs a load around `fault`, until the spill is empty again, and compares what callers were told with the rows to come. */
  async function underLoad(fault: (topic: string, load: PublishLoad) => Promise<void>) {
    const { brokers } = kafka;
    const topic = await createTopic({ brokers }, { partitions: 4, replication: 2 });
    const { publisher, details } = makeKafkaPublisher(brokers, topic, { spillDir });
    await publisher.start();
    const load = new PublishLoad(publisher, 16);
    try {
      await load.morePublished(500);
      await fault(topic, load);
      await load.morePublished(500);
      await load.end();
      // A batch whose partition has no leader for long is overtaken, and still there when others go straight to Kafka again.
      await waitFor(() => spilledRecords(details()) === 0, {
        what: "an empty spill",
        timeoutMs: 60_000,
      });
    } finally {
      await load.end();
      await publisher.stop();
    }
    const { rows } = await rowsOfTopic(brokers, topic);
    const present = new Set(rows);
    expect(load.refused).toEqual([]);
    expect([...load.durable].filter((id) => !present.has(id))).toEqual([]);
    expect(rows.length).toBe(present.size);
    expect(load.longestMs).toBeLessThan(5_000);
    return load;
  }

  it("takes every record once when partitions' leaders move", async () => {
    await underLoad(async (topic) => {
      for (const broker of [1, 0]) await kafka.moveLeader(topic, 0, broker);
    });
  });

  it("takes every record once when a broker hangs past the time for an acknowledgement", async () => {
    // How many records are spilled until Kafka gives the broker up is a matter of the disk.
    const spilled = 50;
    const load = await underLoad(async (_topic, load) => {
      await kafka.pause(1);
      await waitFor(() => load.spilled > spilled, { what: "spilled records", timeoutMs: 30_000 });
      await kafka.unpause(1);
    });
    expect(load.spilled).toBeGreaterThan(spilled);
  });

  it("takes every record once when a broker dies and comes back", async () => {
    await underLoad(async () => {
      await kafka.kill(1);
      await kafka.restart(1);
    });
  });
});

describeWithContainers("the publisher with a spill", ["kafka"], () =>
  reportPublisherContract(async ({ maxWaitingBytes }) => {
    const { brokers } = await sharedKafka();
    const topic = await createTopic({ brokers }, { partitions: 3 });
    const { publisher, details } = makeKafkaPublisher(brokers, topic, {
      spillDir,
      ...(maxWaitingBytes === undefined ? {} : { maxWaitingBytes }),
    });
    await publisher.start();
    const isDrained = () => spilledRecords(details()) === 0;
    return {
      publisher,
      published: async () => {
        await waitFor(isDrained, { what: "an empty spill", timeoutMs: 30_000 });
        const records = await readTopic(brokers, topic);
        return records.map((record) => ({
          ...record,
          key: record.key ?? Buffer.alloc(0),
          value: record.value ?? Buffer.alloc(0),
        }));
      },
      stop: () => publisher.stop(),
      close: () => publisher.stop(),
    };
  }),
);

describeWithContainers(
  "the publisher with a spill, over a network that delivers late",
  ["docker"],
  () => {
    let kafka: LateKafka;
    beforeAll(async () => {
      kafka = await startLateKafka();
    });
    afterAll(() => kafka?.stop());

    it("takes every record once although the first copies arrive after those that were sent again", async () => {
      const topic = await createTopic(kafka, { partitions: 2 });
      const publisher = aKafkaPublisher(kafka.brokers, topic, {
        spillDir,
        answerDeadlineMs: 2_000,
      });
      await publisher.start();
      expect(await publisher.publish(aRecord().record)).toBe("published");
      kafka.proxy.hold();
      const sent = Array.from({ length: 50 }, aRecord);
      const kept = await Promise.all(sent.map(({ record }) => publisher.publish(record)));
      expect(new Set(kept)).toEqual(new Set(["spilled"]));
      const drained = () =>
        publisher.publish(aRecord().record).then((where) => where === "published");
      await waitFor(drained, { what: "an empty spill", timeoutMs: 30_000, intervalMs: 200 });
      expect(kafka.proxy.heldBytes).toBeGreaterThan(0);
      await kafka.proxy.release();
      await publisher.stop();

      const { rows, again } = await rowsOfTopic(kafka.brokers, topic);
      expect(again).toBeGreaterThan(0);
      expect(sent.filter(({ id }) => rows.filter((row) => row === id).length !== 1)).toEqual([]);
    });
  },
);
