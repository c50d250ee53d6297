import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { encodeReport } from "@push-reports/report";
import {
  aReceivedReport,
  describeWithContainers,
  sharedClickHouse,
  sharedKafka,
  waitFor,
} from "@push-reports/test-support";
import { type Consumer, type PartitionAssigner, PartitionAssigners } from "kafkajs";
import { Pipeline } from "../support/pipeline.js";

/** The same assignments under a name that the consumer does not speak, as another program's would have. */
const FOREIGN_ASSIGNER: PartitionAssigner = (config) => {
  const assigner = PartitionAssigners.roundRobin(config);
  return {
    ...assigner,
    name: "Foreign",
    protocol: (topics) => ({ ...assigner.protocol(topics), name: "Foreign" }),
  };
};

/*
 * kafkajs answers an error that no repetition can heal by a crash without restart: it disconnects and leaves the process alive, which
 * then consumes nothing, for ever. A group that another program's members have joined is such an error.
 */
describeWithContainers(
  "a crash of kafkajs that it does not restart from",
  ["kafka", "clickhouse"],
  () => {
    let pipeline: Pipeline;
    const strangers: Consumer[] = [];

    beforeAll(async () => {
      pipeline = await Pipeline.create((await sharedKafka()).brokers, await sharedClickHouse(), 1);
      await pipeline.produce(
        0,
        Array.from({ length: 20 }, () => encodeReport(aReceivedReport())),
      );
    });
    afterAll(async () => {
      await Promise.all(strangers.map((stranger) => stranger.disconnect()));
      await pipeline?.close();
    });

    /** Another program in the consumer's group; resolves once it is in. */
    const strangerJoins = async () => {
      const stranger = pipeline.kafka.consumer({
        groupId: pipeline.name,
        partitionAssigners: [FOREIGN_ASSIGNER],
        maxWaitTimeInMs: 100,
      });
      strangers.push(stranger);
      const joined = new Promise((resolve, reject) => {
        stranger.on(stranger.events.GROUP_JOIN, resolve);
        stranger.on(stranger.events.CRASH, ({ payload }) => {
          if (!payload.restart) reject(payload.error);
        });
      });
      await stranger.connect();
      await stranger.subscribe({ topic: pipeline.topic });
      const running = stranger.run({ autoCommit: false, eachMessage: async () => undefined });
      await Promise.all([running, joined]);
      return stranger;
    };
    const expectClearEnd = async (consumer: Awaited<ReturnType<Pipeline["launch"]>>) => {
      await waitFor(() => consumer.child.exitCode !== null, {
        what: "the consumer to end",
        timeoutMs: 30_000,
      }).catch((cause: unknown) => {
        throw new Error(`The consumer did not end. It wrote:\n${consumer.log()}`, { cause });
      });
      expect(await consumer.exit).toEqual({ code: 1, signal: null });
      const error = expect.objectContaining({
        message: expect.stringContaining("supported protocols are incompatible"),
      });
      expect(consumer.events("kafka_misconfigured")).toEqual([
        expect.objectContaining({
          level: "error",
          groupId: pipeline.name,
          reason: expect.stringContaining("KAFKA_GROUP_ID"),
          error,
        }),
      ]);
      expect(consumer.events("service_failed")).toEqual([
        expect.objectContaining({ level: "error", error }),
      ]);
    };

    it("ends the process with code 1 and says why, at the first join", async () => {
      const stranger = await strangerJoins();
      await expectClearEnd(await pipeline.launch());
      await stranger.disconnect();
    });

    it("ends it in the middle of its life too, and the next process goes on where it was", async () => {
      const consumer = await pipeline.launch();
      await pipeline.untilLedgered(20, consumer.log);
      // Away for longer than its session, so that the group is the stranger's when it comes back.
      consumer.child.kill("SIGSTOP");
      await waitFor(
        async () => {
          const { groups } = await pipeline.admin.describeGroups([pipeline.name]);
          return groups[0]?.state === "Empty";
        },
        { what: "the group to give it up", timeoutMs: 30_000 },
      );
      const stranger = await strangerJoins();
      consumer.child.kill("SIGCONT");
      await expectClearEnd(consumer);

      await stranger.disconnect();
      await pipeline.produce(
        0,
        Array.from({ length: 20 }, () => encodeReport(aReceivedReport())),
      );
      const successor = await pipeline.launch();
      await pipeline.untilLedgered(40, successor.log);
      expect(await pipeline.rows()).toEqual(await pipeline.readable());
      await waitFor(async () => (await successor.health()).status === 200, { what: "health" });
      expect(await pipeline.stop(successor)).toEqual({ code: 0, signal: null });
    });
  },
);
