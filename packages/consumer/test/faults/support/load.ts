import { setTimeout as delay } from "node:timers/promises";
import { createLogger, DurableProducer } from "@push-reports/service-kit";
import { patiently } from "@push-reports/test-support";
import type { Kafka, Message } from "kafkajs";
import { again, badRecord, goodRecord } from "./new-records.js";
import type { Random } from "./random.js";

/** What the records of a load are like. */
export interface LoadOptions {
  readonly topic: string;
  readonly partitions: number;
  /** Share of records that cannot become rows. */
  readonly badShare: number;
  /** Share of records that are sent again though the first copy is there. */
  readonly againShare: number;
}

/** Records of one batch at most. */
const MAX_BATCH = 30;
/** Records that come quickly at the beginning and after each surge; then they trickle, however slow the machine is. */
const SURGE = 100;
/** Time between two batches at most, ms. */
const MAX_PAUSE_MS = 100;
const MAX_TRICKLE_BATCH = 5;
const MAX_TRICKLE_PAUSE_MS = 1_000;
/** Records that may be sent again later. */
const REMEMBERED = 500;
/** Time between two attempts of a batch, and after which the test has failed, ms. */
const RETRY_MS = 100;
const GIVE_UP_MS = patiently(60_000);

/**
 * Produces without a pause longer than a moment, in batches of one partition each, as a gateway's lane does: a batch whose send
 * had no known outcome goes to the same partition again, marked.
 */
export class Load {
  readonly #producer: DurableProducer;
  readonly #options: LoadOptions;
  readonly #random: Random;
  readonly #sent: { readonly partition: number; readonly record: Message }[] = [];
  readonly #stopping = new AbortController();
  #produced = 0;
  #surgesUntil = SURGE;
  #isAbandoned = false;
  #running: Promise<void> = Promise.resolve();

  constructor(kafka: Kafka, options: LoadOptions, random: Random) {
    const { topic } = options;
    const logger = createLogger({ service: "load", level: "silent" });
    this.#producer = new DurableProducer(kafka, { topic, ackTimeoutMs: 3_000, retries: 2 }, logger);
    this.#options = options;
    this.#random = random;
  }

  /** Records that the topic has acknowledged. */
  get produced(): number {
    return this.#produced;
  }

  /** Puts some records into every partition, then goes on until `stop`. */
  async start(): Promise<void> {
    for (let partition = 0; partition < this.#options.partitions; partition += 1)
      await this.#send(partition, this.#batch(partition));
    this.#running = this.#produceOn();
    // It is awaited by `stop`; until then its failure is nobody's surprise.
    this.#running.catch(() => undefined);
  }

  /** Lets records come quickly again for a while. */
  surge(): void {
    this.#surgesUntil = this.#produced + SURGE;
  }

  get #isSurging(): boolean {
    return this.#produced < this.#surgesUntil;
  }

  /** Ends the load once the batch under way is durable. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    await this.#producer.close();
  }

  /** Ends the load, durable or not. */
  async abandon(): Promise<void> {
    this.#isAbandoned = true;
    await this.stop().catch(() => undefined);
  }

  async #produceOn(): Promise<void> {
    const { partitions } = this.#options;
    while (!this.#stopping.signal.aborted) {
      const partition = this.#random.integer(0, partitions - 1);
      await this.#send(partition, this.#batch(partition));
      const pauseMs = this.#isSurging ? MAX_PAUSE_MS : MAX_TRICKLE_PAUSE_MS;
      await delay(this.#random.integer(1, pauseMs));
    }
  }

  #batch(partition: number): readonly Message[] {
    const { badShare, againShare } = this.#options;
    const most = this.#isSurging ? MAX_BATCH : MAX_TRICKLE_BATCH;
    return Array.from({ length: this.#random.integer(1, most) }, () => {
      if (this.#random.chance(badShare)) return badRecord(this.#random);
      if (!this.#random.chance(againShare))
        return this.#remembered(partition, goodRecord(this.#random));
      const copies = this.#sent.filter((earlier) => earlier.partition === partition);
      // Some are marked though their first copy never arrived.
      if (copies.length === 0 || this.#random.chance(0.3)) return again(goodRecord(this.#random));
      return again(this.#random.pick(copies).record);
    });
  }

  #remembered(partition: number, record: Message): Message {
    this.#sent.push({ partition, record });
    if (this.#sent.length > REMEMBERED) this.#sent.shift();
    return record;
  }

  async #send(partition: number, batch: readonly Message[]): Promise<void> {
    let messages = batch;
    const givenUpAt = Date.now() + GIVE_UP_MS;
    for (;;) {
      try {
        await this.#producer.send(partition, messages);
        this.#produced += messages.length;
        return;
      } catch (error) {
        if (this.#isAbandoned || Date.now() > givenUpAt) throw error;
        messages = messages.map((record) => again(record));
        await delay(RETRY_MS);
      }
    }
  }
}
