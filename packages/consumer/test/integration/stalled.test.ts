import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { encodeReport } from "@push-reports/report";
import {
  aReceivedReport,
  describeWithContainers,
  sharedClickHouse,
  sharedKafka,
  waitFor,
} from "@push-reports/test-support";
import { Pipeline } from "../support/pipeline.js";

describeWithContainers("a partition that stands still", ["kafka", "clickhouse"], () => {
  let pipeline: Pipeline;

  beforeAll(async () => {
    pipeline = await Pipeline.create((await sharedKafka()).brokers, await sharedClickHouse(), 2);
    for (const partition of [0, 1])
      await pipeline.produce(
        partition,
        Array.from({ length: 20 }, () => encodeReport(aReceivedReport())),
      );
  });
  afterAll(async () => pipeline?.close());

  it("ends the process with code 1 and says which, though others get on, and the next process goes on where it was", async () => {
    const { child, exit, log } = pipeline.startCrashing({
      HANG_AT_STEP: "intent_committed",
      HANG_AT_PARTITION: "1",
      STALL_TIMEOUT_MS: "12000",
      KAFKA_REQUEST_TIMEOUT_MS: "2000",
      INSERT_TIMEOUT_MS: "2000",
    });
    await pipeline.untilLedgered(20, log);
    const busy = setInterval(() => {
      pipeline.produce(0, [encodeReport(aReceivedReport())]).catch(() => undefined);
    }, 500);
    await waitFor(() => child.exitCode !== null, {
      what: "the consumer to end",
      timeoutMs: 60_000,
    }).finally(() => clearInterval(busy));

    expect(await exit).toEqual({ code: 1, signal: null });
    const failures = log()
      .split("\n")
      .filter((line) => line.includes('"event":"service_failed"'))
      .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
    expect(failures).toMatchObject([
      {
        level: "error",
        error: { message: "Partition 1 made no progress for 12000 ms" },
      },
    ]);

    const successor = await pipeline.launch();
    const topic = await pipeline.readable();
    await pipeline.untilLedgered(topic.length, successor.log);
    expect(await pipeline.rows()).toEqual(topic);
  });
});
