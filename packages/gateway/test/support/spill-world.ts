import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkEmbeddedLog, openEmbeddedLog } from "@push-reports/embedded-log";
import { AGAIN_HEADER } from "@push-reports/report";
import { type Clock, createLogger, type LogFields, systemClock } from "@push-reports/service-kit";
import { waitFor } from "@push-reports/test-support";
import { KafkaProblem } from "../../src/publish/kafka-problem.js";
import { messageOf } from "../../src/publish/message.js";
import { PartitionPicker } from "../../src/publish/partition-picker.js";
import type { SentTo } from "../../src/report-publisher.js";
import { HandOver } from "../../src/spill/hand-over.js";
import { SpillDrain } from "../../src/spill/spill-drain.js";
import { SpillStore } from "../../src/spill/spill-store.js";
import { encodeSpilled } from "../../src/spill/spilled-record.js";
import { FaultyLog } from "../fakes/faulty-log.js";
import { InMemoryTopic } from "../fakes/in-memory-topic.js";
import { aRecord } from "./kafka-publisher.js";

/** How much faster time passes here. */
const HURRY = 50;

/** The clock of the worlds. */
export const hurriedClock: Clock = {
  now: () => Math.floor(performance.now() * HURRY),
  sleep: (ms, signal) => systemClock.sleep(ms / HURRY, signal),
};

const silent = createLogger({ service: "test", level: "silent" });

type SpilledOne = ReturnType<typeof aRecord> & { readonly sentTo: SentTo | null };

/** A spill on a real disk, drained to a topic in memory, by one process's life after another. */
export class SpillWorld {
  readonly topic = new InMemoryTopic(3);
  /** Report ids that were answered 200. */
  readonly spilled: string[] = [];
  readonly #refused = new Set<string>();
  readonly problem = new KafkaProblem("reports", hurriedClock, silent);
  /** Records of the batches that were acknowledged, and codes of those that were not, in order. */
  readonly heard: (number | string)[] = [];
  /** What was said of drains that failed, and when, ms. */
  readonly drainFaults: (LogFields & { readonly at: number })[] = [];
  readonly folder: string;
  #log: FaultyLog | null = null;
  #life: { readonly store: SpillStore; readonly drain: SpillDrain } | null = null;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async create(): Promise<SpillWorld> {
    return new SpillWorld(await mkdtemp(join(tmpdir(), "spill-world-")));
  }

  /** Begins a life. @param check as gateways do: it takes a process of its own. */
  async begin(check: "checked" | "trusted" = "trusted"): Promise<void> {
    const { folder, topic } = this;
    const logger = silent;
    const clock = hurriedClock;
    const store = new SpillStore(
      {
        folder,
        maxBytes: 16_777_216,
        maxWaitingBytes: 16_777_216,
        openLog: async (options) => {
          if (check === "checked") await checkEmbeddedLog(options);
          this.#log = new FaultyLog(await openEmbeddedLog(options));
          return this.#log;
        },
      },
      clock,
      logger,
    );
    await store.open();
    const drain = new SpillDrain(
      {
        store,
        handOver: new HandOver(clock),
        leaders: topic,
        picker: new PartitionPicker(topic, () => clock.now(), 0),
        createProducer: () => topic.producer(),
        createProducerAs: (identity) => topic.producer(identity),
        onTrouble: () => undefined,
        observer: {
          sent: ({ records }) => void this.heard.push(records),
          failed: (code) => void this.heard.push(code),
        },
        problem: this.problem,
        onDrained: () => undefined,
        clock,
        logger: {
          ...logger,
          error: (event, fields) => {
            if (event !== "spill_drain_failed") return;
            this.drainFaults.push({ ...fields, at: clock.now() });
          },
        },
      },
      { maxBatchBytes: 2_000, connectTimeoutMs: 60_000, sendTimeoutMs: 60_000 },
    );
    drain.start();
    this.#life = { store, drain };
  }

  /** Ends a life, wherever it is: nothing that was not durable is told to the next. */
  async crash(): Promise<void> {
    const life = this.#life;
    this.#life = null;
    await life?.drain.stop(0);
    await life?.store.close();
  }

  get store(): SpillStore {
    if (this.#life === null) throw new Error("Nothing lives");
    return this.#life.store;
  }

  /** Spills records that were sent nowhere. */
  async spill(count: number): Promise<void> {
    await this.#append(Array.from({ length: count }, () => ({ ...aRecord(), sentTo: null })));
  }

  /** Sends records straight to a partition, as a lane does, and spills them when that fails. */
  async sendThenSpill(partition: number, count: number): Promise<void> {
    await this.#append(await this.#sendInVain(partition, count));
  }

  /** The same, and a record that was sent nowhere comes between each two, so that no two of them share a batch. */
  async sendThenSpillApart(partition: number, count: number): Promise<void> {
    const sent = await this.#sendInVain(partition, count);
    await this.#append(sent.flatMap((record) => [record, { ...aRecord(), sentTo: null }]));
  }

  /** The disk fails one commit, or some, after so many good ones. */
  failCommitAfter(goodCommits: number, badCommits = 1): void {
    this.#log?.failAfter(goodCommits, badCommits);
  }

  async untilDrained(): Promise<void> {
    await waitFor(
      () => this.store.log !== null && this.store.log.firstOffset === this.store.log.nextOffset,
      { what: "an empty spill", timeoutMs: 30_000, intervalMs: 5 },
    );
  }

  /** Report ids of the rows that the topic makes of reports that were answered 200; the others may be rows, or not. */
  rows(): readonly string[] {
    return this.#allRows().filter((id) => !this.#refused.has(id));
  }

  #allRows(): readonly string[] {
    return this.topic.logs.flatMap((log) => {
      const seen = new Set<string>();
      return log.flatMap(({ value, headers }) => {
        const { report_id: id } = JSON.parse(String(value)) as { readonly report_id: string };
        const isRepeated = headers?.[AGAIN_HEADER] !== undefined && seen.has(id);
        seen.add(id);
        return isRepeated ? [] : [id];
      });
    });
  }

  async dispose(): Promise<void> {
    await this.crash();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Those that the partition did not take, and where they have to go. */
  async #sendInVain(partition: number, count: number): Promise<readonly SpilledOne[]> {
    const records = Array.from({ length: count }, aRecord);
    const producer = this.topic.producer();
    const { producerId, epoch } = await producer.connect();
    const messages = records.map(({ record }) => messageOf(record));
    const sending = producer.send(partition, messages).then(
      () => true,
      () => false,
    );
    this.topic.acknowledgeSlow();
    if (await sending) {
      this.spilled.push(...records.map(({ id }) => id));
      return [];
    }
    return records.map((made, index) => ({
      ...made,
      sentTo: { partition, resendAs: { producerId, epoch: epoch + 1 + index } },
    }));
  }

  async #append(records: readonly SpilledOne[]): Promise<void> {
    const appended = await Promise.allSettled(
      records.map(({ record, sentTo }) => this.store.append(encodeSpilled(record, sentTo))),
    );
    for (const [index, { id }] of records.entries())
      if (appended[index]?.status === "fulfilled") this.spilled.push(id);
      else this.#refused.add(id);
  }
}
