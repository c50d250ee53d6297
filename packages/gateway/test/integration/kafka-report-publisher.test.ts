import { describe, expect, it } from "@jest/globals";
import { decodeReport } from "@push-reports/report";
import {
  createTopic,
  describeWithContainers,
  freePort,
  readTopic,
  sharedKafka,
  uniqueName,
  waitFor,
} from "@push-reports/test-support";
import { aKafkaPublisher, aRecord } from "../support/kafka-publisher.js";
import { PublishLoad } from "../support/publish-load.js";
import { topicIds } from "../support/topic-ids.js";

describeWithContainers("the publisher to Kafka", ["kafka"], () => {
  it.each(["none", "gzip"] as const)(
    "makes every record durable once, readable and spread over the partitions, with compression %s",
    async (compression) => {
      const { brokers } = await sharedKafka();
      const topic = await createTopic({ brokers }, { partitions: 3 });
      const publisher = aKafkaPublisher(brokers, topic, { compression });
      await publisher.start();
      const load = new PublishLoad(publisher, 32);
      await waitFor(() => load.durable.size > 1_000, { what: "a thousand records" });
      await load.end();
      await publisher.stop();

      const records = await readTopic(brokers, topic);
      expect(load.refused).toEqual([]);
      const ids = records.map(({ value }) => JSON.parse(String(value)).report_id as string);
      expect(ids.length).toBe(load.durable.size);
      expect(new Set(ids)).toEqual(load.durable);
      expect(new Set(records.map(({ partition }) => partition)).size).toBe(3);
      const [first] = records;
      const decoded = decodeReport({ value: first?.value ?? null, headers: first?.headers ?? {} });
      if (!decoded.ok) throw new Error(decoded.detail);
      expect(first?.key?.toString()).toBe(decoded.report.deviceId);
      expect(first?.timestampMs).toBe(decoded.report.receivedAt.getTime());
    },
  );

  it("starts without its topic, refuses within the deadline, makes none, and heals when there is one", async () => {
    const { brokers } = await sharedKafka();
    const topic = uniqueName("late");
    const publisher = aKafkaPublisher(brokers, topic, { answerDeadlineMs: 1_000 });
    await publisher.start();
    const startedAt = Date.now();
    await expect(publisher.publish(aRecord().record)).rejects.toMatchObject({
      code: "unavailable",
    });
    expect(Date.now() - startedAt).toBeLessThanOrEqual(1_000);
    expect(publisher.isHealthy()).toBe(false);

    await createTopic({ brokers }, { topic });
    await waitFor(() => publisher.isHealthy(), { what: "the publisher to heal" });
    const { id, record } = aRecord();
    expect(await publisher.publish(record)).toBe("published");
    await publisher.stop();
    expect(await topicIds(brokers, topic)).toEqual([id]);
  });

  it("refuses more than may wait at once, and takes records again", async () => {
    const { brokers } = await sharedKafka();
    const topic = await createTopic({ brokers });
    const publisher = aKafkaPublisher(brokers, topic, { maxWaitingBytes: 65_536 });
    await publisher.start();
    const results = await Promise.allSettled(
      Array.from({ length: 500 }, () => publisher.publish(aRecord().record)),
    );
    const refused = results.filter(({ status }) => status === "rejected");
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThan(500);
    for (const { reason } of refused as PromiseRejectedResult[])
      expect(reason).toMatchObject({ code: "overloaded" });
    expect(await publisher.publish(aRecord().record)).toBe("published");
    await publisher.stop();
    expect((await topicIds(brokers, topic)).length).toBe(501 - refused.length);
  });
});

describe("the publisher without any broker", () => {
  it("starts, refuses within the deadline, then at once, and stops", async () => {
    const publisher = aKafkaPublisher([`127.0.0.1:${await freePort()}`], "any", {
      answerDeadlineMs: 800,
    });
    await publisher.start();
    await expect(publisher.publish(aRecord().record)).rejects.toMatchObject({
      code: "unavailable",
    });
    await waitFor(
      async () => {
        const startedAt = Date.now();
        await publisher.publish(aRecord().record).catch(() => undefined);
        return Date.now() - startedAt < 50;
      },
      { what: "a refusal at once" },
    );
    await publisher.stop();
    await expect(publisher.publish(aRecord().record)).rejects.toMatchObject({ code: "stopping" });
  });
});
