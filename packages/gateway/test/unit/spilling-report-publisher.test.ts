import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { type EmbeddedLog, LogError, openEmbeddedLog } from "@push-reports/embedded-log";
import { encodeReport } from "@push-reports/report";
import { createLogger } from "@push-reports/service-kit";
import { aReceivedReport, FakeClock, waitFor } from "@push-reports/test-support";
import { KafkaProblem } from "../../src/publish/kafka-problem.js";
import { PartitionPicker } from "../../src/publish/partition-picker.js";
import type { PublishError } from "../../src/report-publisher.js";
import { HandOver } from "../../src/spill/hand-over.js";
import { SpillDrain } from "../../src/spill/spill-drain.js";
import { SpillStore } from "../../src/spill/spill-store.js";
import { SpillingReportPublisher } from "../../src/spilling-report-publisher.js";
import { InMemoryReportPublisher } from "../fakes/in-memory-report-publisher.js";
import { InMemoryTopic } from "../fakes/in-memory-topic.js";

const ANSWER_DEADLINE_MS = 5_000;
const NEVER = new Promise<never>(() => undefined);

/** Kafka, which takes what it is given, or is silent about it while its gate is shut. */
class Kafka extends InMemoryReportPublisher {
  async start(): Promise<void> {}
  async stop(): Promise<void> {}
}

/** A log on a real disk whose appends do what a test says first. */
function troubled(log: EmbeddedLog, before: () => Promise<void>): EmbeddedLog {
  return {
    get firstOffset() {
      return log.firstOffset;
    },
    get nextOffset() {
      return log.nextOffset;
    },
    get bytes() {
      return log.bytes;
    },
    get waitingBytes() {
      return log.waitingBytes;
    },
    isHealthy: () => log.isHealthy(),
    append: async (record) => {
      await before();
      return await log.append(record);
    },
    read: (...about) => log.read(...about),
    trim: (...about) => log.trim(...about),
    mark: (...about) => log.mark(...about),
    setMark: (...about) => log.setMark(...about),
    onAppend: (...about) => log.onAppend(...about),
    close: () => log.close(),
  };
}

describe("a gateway with a spill that holds reports, whose Kafka is well again", () => {
  let folder: string;
  let kafka: Kafka;
  let clock: FakeClock;
  let store: SpillStore;
  let publisher: SpillingReportPublisher;
  let beforeAppend: () => Promise<void> = async () => undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "spilling-"));
    kafka = new Kafka();
    clock = new FakeClock();
    beforeAppend = async () => undefined;
    const logger = createLogger({ service: "test", level: "silent" });
    const openLog = async (options: Parameters<typeof openEmbeddedLog>[0]) =>
      troubled(await openEmbeddedLog(options), () => beforeAppend());
    const bounds = { folder, maxBytes: 16_777_216, maxWaitingBytes: 1_048_576 };
    store = new SpillStore({ ...bounds, openLog }, clock, logger);
    await store.open();
    const handOver = new HandOver(clock);
    handOver.fallBehind();
    const topic = new InMemoryTopic(1);
    const shared = { store, handOver, clock, logger };
    const drain = new SpillDrain(
      {
        ...shared,
        leaders: topic,
        picker: new PartitionPicker(topic, () => clock.now(), 0),
        createProducer: () => topic.producer(),
        createProducerAs: (identity) => topic.producer(identity),
        onTrouble: () => undefined,
        observer: { sent: () => undefined, failed: () => undefined },
        problem: new KafkaProblem("reports", clock, logger),
        onDrained: () => undefined,
      },
      { maxBatchBytes: 2_000, connectTimeoutMs: 60_000, sendTimeoutMs: 60_000 },
    );
    publisher = new SpillingReportPublisher(
      { ...shared, direct: kafka, drain, onSpillError: () => undefined },
      { answerDeadlineMs: ANSWER_DEADLINE_MS, stopDrainMs: 0 },
    );
  });
  afterEach(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** What the report's client is told, and after how long. */
  const answer = () => {
    const startedAt = clock.now();
    const record = encodeReport({ ...aReceivedReport(), receivedAt: new Date(startedAt) });
    const told: { said?: string; afterMs?: number } = {};
    const tell = (said: string) => Object.assign(told, { said, afterMs: clock.now() - startedAt });
    publisher.publish(record).then(tell, (error: PublishError) => tell(error.code));
    return told;
  };
  const answered = async () => {
    const told = answer();
    await clock.advance(0);
    await waitFor(async () => told.said !== undefined, { what: "an answer" });
    return told.said;
  };

  it("refuses a report that the disk does not take in time, and sends it nowhere else", async () => {
    let sync: () => void = () => {};
    beforeAppend = () =>
      new Promise((resolve) => {
        sync = resolve;
      });
    const told = answer();
    await clock.advance(2 * ANSWER_DEADLINE_MS);
    sync();
    await waitFor(async () => store.log?.nextOffset === 1, { what: "the late record" });

    expect(told.said).toBe("timeout");
    expect(told.afterMs).toBeLessThan(ANSWER_DEADLINE_MS);
    expect(kafka.records).toHaveLength(0);
  });

  it("refuses a report whose commit failed, which may be there all the same", async () => {
    beforeAppend = async () => {
      throw new LogError("log_broken", "The log could not be written", { code: "EIO" }, "unknown");
    };

    expect(await answered()).toBe("unavailable");
    expect(kafka.records).toHaveLength(0);
  });

  it("gives Kafka alone what the spill has surely not taken", async () => {
    for (const code of ["log_full", "log_overloaded", "log_broken"] as const) {
      beforeAppend = async () => {
        throw new LogError(code, "Nothing was written", { code: "ENOSPC" });
      };
      expect(await answered()).toBe("published");
    }
    expect(kafka.records).toHaveLength(3);
  });

  it("answers in time although the spill refuses late and Kafka is silent then", async () => {
    kafka.gate = NEVER;
    beforeAppend = async () => {
      await clock.sleep(4_500);
      throw new LogError("log_broken", "The disk has no space", { code: "ENOSPC" });
    };
    const told = answer();
    await clock.advance(2 * ANSWER_DEADLINE_MS);

    expect(told.said).toBe("timeout");
    expect(told.afterMs).toBeLessThan(ANSWER_DEADLINE_MS);
  });
});
