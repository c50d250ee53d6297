import { encodeReport, type ReportRecord } from "@push-reports/report";
import { createLogger } from "@push-reports/service-kit";
import { aReceivedReport, FakeClock } from "@push-reports/test-support";
import { KafkaReportPublisher } from "../../src/kafka-report-publisher.js";
import { Lane } from "../../src/lane.js";
import { DrainRate } from "../../src/publish/drain-rate.js";
import { KafkaProblem } from "../../src/publish/kafka-problem.js";
import { PartitionPicker } from "../../src/publish/partition-picker.js";
import type { LedPartition } from "../../src/publish/topic-leaders.js";
import { WaitingRecords } from "../../src/publish/waiting-records.js";
import { ScriptedProducers } from "../fakes/scripted-producers.js";

/** Deadlines of {@link aPublisher}, ms. */
export const ANSWER_DEADLINE_MS = 5_000;
export const SEND_TIMEOUT_MS = 10_000;
export const CONNECT_TIMEOUT_MS = 5_000;

/** A topic whose leaders are what a test says. */
class ScriptedLeaders {
  partitions: readonly LedPartition[] = [0, 1, 2].map((partition) => ({ partition, leader: 7 }));
  isStopped = false;

  start(): void {}

  async stop(): Promise<void> {
    this.isStopped = true;
  }
}

/** Publisher and lanes as the service joins them, over a clock and producers that a test drives. */
export function aPublisher(
  more: {
    readonly lanes?: number;
    readonly maxWaitingBytes?: number;
    readonly maxBatchBytes?: number;
  } = {},
) {
  const clock = new FakeClock();
  const logger = createLogger({ service: "test", level: "silent" });
  const producers = new ScriptedProducers();
  const leaders = new ScriptedLeaders();
  const waiting = new WaitingRecords();
  const drainRate = new DrainRate();
  const troubles: string[] = [];
  const shared = {
    waiting,
    picker: new PartitionPicker(leaders, () => clock.now(), 0),
    createProducer: producers.create,
    onTrouble: () => void troubles.push("asked anew"),
    observer: {
      sent: ({ records, bytes }: { records: number; bytes: number }) => {
        drainRate.left(bytes, clock.now());
        troubles.push(`sent ${records}`);
      },
      failed: (code: string) => void troubles.push(code),
    },
    problem: new KafkaProblem("reports", clock, logger),
    clock,
    logger,
  };
  const limits = {
    maxBatchBytes: more.maxBatchBytes ?? 1_000_000,
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    sendTimeoutMs: SEND_TIMEOUT_MS,
  };
  const lanes = Array.from({ length: more.lanes ?? 1 }, () => new Lane(shared, limits));
  const publisher = new KafkaReportPublisher(
    { lanes, waiting, leaders, drainRate },
    {
      answerDeadlineMs: ANSWER_DEADLINE_MS,
      maxWaitingBytes: more.maxWaitingBytes ?? 1_000_000,
    },
    clock,
  );
  return { publisher, lanes, waiting, producers, leaders, clock, heard: troubles };
}

/** The same, started and connected. */
export async function aStartedPublisher(more: Parameters<typeof aPublisher>[0] = {}) {
  const made = aPublisher(more);
  const starting = made.publisher.start();
  await made.clock.advance(1_000);
  await starting;
  const publish = (name: string, bytes?: number) =>
    outcomeOf(made.publisher.publish(aNamedRecord(name, bytes)));
  return { ...made, publish };
}

/** The same, not started, whose producers find no broker. */
export function aDisconnectedPublisher(connecting: "fails" | "hangs") {
  const made = aPublisher();
  made.producers.connecting = connecting;
  const publish = (name: string) => outcomeOf(made.publisher.publish(aNamedRecord(name)));
  return { ...made, publish };
}

/** A record whose value says its name, padded to some bytes. */
export function aNamedRecord(name: string, bytes = 0): ReportRecord {
  return { ...encodeReport(aReceivedReport()), value: Buffer.from(name.padEnd(bytes, ".")) };
}

/** What has become of a publish, once it has settled. */
export function outcomeOf(publishing: Promise<unknown>) {
  const outcome: { value?: unknown; error?: unknown } = {};
  publishing.then(
    (value) => {
      outcome.value = value;
    },
    (error: unknown) => {
      outcome.error = error;
    },
  );
  return outcome;
}
