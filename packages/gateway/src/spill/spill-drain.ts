import type { EmbeddedLog } from "@push-reports/embedded-log";
import { RepeatedLines } from "@push-reports/service-kit";
import { BatchPlacer, type BatchPlacerParts, type PlacedBatch } from "./batch-placer.js";
import { boundsOf, cutBatch } from "./cut-batch.js";
import { Delivery, type DeliveryLimits, type DeliveryParts, type FirstSend } from "./delivery.js";
import {
  DRAIN_MARK,
  type DrainMark,
  encodeDrainMark,
  keptFrom,
  type OpenBatch,
} from "./drain-mark.js";
import type { HandOver } from "./hand-over.js";
import { readMark, readRecords } from "./read-drain.js";
import type { SpillStore } from "./spill-store.js";
import { decodeSpilled, type SpilledRecord } from "./spilled-record.js";

/** What a drain works with. */
export interface SpillDrainParts extends DeliveryParts, BatchPlacerParts {
  readonly store: SpillStore;
  readonly handOver: HandOver;
  readonly onDrained: (records: number) => void;
}

/** Bounds of a drain. */
export interface SpillDrainLimits extends DeliveryLimits {
  readonly maxBatchBytes: number;
}

/** Records of one batch: each has an epoch of its own to be sent again under, and epochs have 16 bits. */
const MAX_BATCH_RECORDS = 16_384;
/** Batches that may be under way and overtaken; their records are in memory. */
const MAX_OPEN_BATCHES = 16;
/** With so few records behind the batch that is sent, what arrives now waits for the end: it is near. */
const NEARLY_DRAINED_RECORDS = 1_000;
/** How long the loop sleeps when nobody wakes it, ms. */
const LOOK_AGAIN_MS = 200;
const AFTER_FAULT_MS = 1_000;

/** What goes next: a batch, and who sends it first. */
interface Prepared {
  readonly delivery: Delivery;
  readonly first: FirstSend | null;
  /** The delivery that it takes the place of. */
  readonly instead: Delivery | null;
}

/**
 * Takes what is in the spill to Kafka, in order, one batch at a time. A batch whose partition cannot take it now is overtaken.
 * Before a batch is sent, its bounds, its partition and what it may be sent again under are made durable in one commit with what the
 * batch before it leaves to be trimmed.
 */
export class SpillDrain {
  readonly #parts: SpillDrainParts;
  readonly #limits: SpillDrainLimits;
  readonly #stopped = new AbortController();
  readonly #placer: BatchPlacer;
  readonly #faults: RepeatedLines;
  #deliveries: readonly Delivery[] = [];
  #wake: () => void = () => {};
  #working: Promise<void> | null = null;
  #isIdle = true;

  constructor(parts: SpillDrainParts, limits: SpillDrainLimits) {
    this.#parts = parts;
    this.#limits = limits;
    this.#faults = new RepeatedLines(parts.clock);
    this.#placer = new BatchPlacer(parts, limits.connectTimeoutMs, this.#stopped.signal);
  }

  /** Records of batches that wait for their partition while others overtake them. */
  get overtakenRecords(): number {
    return this.#deliveries.reduce(
      (sum, { state, records }) => (state === "blocked" ? sum + records.length : sum),
      0,
    );
  }

  start(): void {
    this.#parts.store.onChange(() => this.#wake());
    this.#working ??= this.#work();
  }

  /** Goes on for at most `ms` while there is something to drain, then leaves the rest to a successor. */
  async stop(ms: number): Promise<void> {
    const { clock, leaders } = this.#parts;
    const giveUpAt = clock.now() + ms;
    while (!this.#isIdle && leaders.isKnown && clock.now() < giveUpAt)
      await clock.sleep(LOOK_AGAIN_MS / 4);
    this.#stopped.abort();
    this.#wake();
    for (const delivery of this.#deliveries) delivery.stop();
    await this.#working;
  }

  async #work(): Promise<void> {
    const { store, handOver, clock } = this.#parts;
    const stopped = this.#stopped.signal;
    while (!stopped.aborted) {
      const { log } = store;
      if (log === null) {
        this.#rest();
        await this.#changed();
        continue;
      }
      try {
        await this.#drain(log);
      } catch (error) {
        if (stopped.aborted) return;
        if (store.log === log) this.#complain(error);
        store.failed(log, error);
        await clock.sleep(AFTER_FAULT_MS, stopped);
      } finally {
        for (const delivery of this.#deliveries) delivery.stop();
        this.#deliveries = [];
        // What its producer sent first may be sent again under the producer's next epoch, which must not be given to another batch.
        await this.#placer.close();
      }
    }
    handOver.catchUp();
  }

  /** A full disk is met again every second. */
  #complain(error: unknown): void {
    const repeated = this.#faults.next(String(error));
    if (repeated !== null) this.#parts.logger.error("spill_drain_failed", { error, ...repeated });
  }

  /** Drains one log for as long as it is the store's. @throws LogError */
  async #drain(log: EmbeddedLog): Promise<void> {
    const { store, handOver } = this.#parts;
    // Changes nothing; a log that failed can be read only once something is committed again.
    await log.trim(log.firstOffset);
    const mark = readMark(log);
    let { cursor } = mark;
    this.#deliveries = mark.open.map((batch) => this.#delivery(batch, readRecords(log, batch)));
    for (const delivery of this.#deliveries) delivery.start(null);
    handOver.fallBehind();
    while (!this.#stopped.signal.aborted && store.log === log) {
      const acknowledged = this.#deliveries.filter(({ state }) => state === "acknowledged");
      const next = this.#mayGoOn() ? await this.#prepare(log, cursor) : null;
      if (next !== null || acknowledged.length > 0) {
        const left = this.#deliveries.filter((one) => !acknowledged.includes(one));
        this.#deliveries = next === null ? left : replaceOrAdd(left, next);
        if (next !== null && next.instead === null) cursor = next.delivery.batch.last + 1;
        const open = this.#deliveries.map(({ batch }) => batch);
        await this.#writeMark(log, { cursor, open }).catch((error: unknown) => {
          next?.first?.ended("failed");
          throw error;
        });
        this.#parts.onDrained(acknowledged.reduce((sum, { records }) => sum + records.length, 0));
        next?.delivery.start(next.first);
        if (next !== null && log.nextOffset - cursor <= NEARLY_DRAINED_RECORDS) handOver.hold();
        continue;
      }
      if (this.#isDrained(log, cursor)) this.#rest();
      else this.#isIdle = false;
      await this.#changed();
    }
  }

  /** Nothing is sending, and few enough are overtaken. */
  #mayGoOn(): boolean {
    const open = this.#deliveries.filter(({ state }) => state !== "acknowledged");
    const isSending = open.some(({ state }) => state === "sending");
    // The producer that places them anew may have a send under way.
    if (open.some(isUnplaced)) return !isSending;
    return open.length < MAX_OPEN_BATCHES && open.every(({ state }) => state === "blocked");
  }

  #isDrained(log: EmbeddedLog, cursor: number): boolean {
    return (
      cursor === log.nextOffset &&
      log.waitingBytes === 0 &&
      this.#deliveries.every(({ state }) => state === "blocked")
    );
  }

  #rest(): void {
    this.#isIdle = true;
    this.#parts.handOver.catchUp();
  }

  /** The next batch with a place to go to; null when there is none now. */
  async #prepare(log: EmbeddedLog, cursor: number): Promise<Prepared | null> {
    const unplaced = this.#deliveries.find(isUnplaced) ?? null;
    if (unplaced !== null) return await this.#placeAgain(unplaced);
    const limits = { maxRecords: MAX_BATCH_RECORDS, maxBytes: this.#limits.maxBatchBytes };
    const entries = log.read(cursor, limits);
    if (entries.length === 0) return null;
    this.#isIdle = false;
    const { records, sentTo } = cutBatch(entries.map(decodeSpilled));
    if (sentTo === null) {
      const placed = await this.#placer.place(records);
      return placed && this.#prepared(placed, records, null);
    }
    const batch = { ...sentTo, ...boundsOf(records) };
    return { delivery: this.#delivery(batch, records), first: null, instead: null };
  }

  async #placeAgain(instead: Delivery): Promise<Prepared | null> {
    const own = instead.state === "fenced" ? instead.batch.partition : null;
    const placed = await this.#placer.placeAgain(instead.records, own);
    return placed && this.#prepared(placed, instead.records, instead);
  }

  #prepared(
    { batch, first }: PlacedBatch,
    records: readonly SpilledRecord[],
    instead: Delivery | null,
  ): Prepared {
    return { delivery: this.#delivery(batch, records), first, instead };
  }

  #delivery(batch: OpenBatch, records: readonly SpilledRecord[]): Delivery {
    return new Delivery({ batch, records }, this.#parts, this.#limits, () => this.#wake());
  }

  /**
   * Resolves once the mark is durable, and with it where the log begins now. That the space of what was drained is free may take some commits
   * more when the log has many small chunks; nothing waits for that.
   */
  async #writeMark(log: EmbeddedLog, mark: DrainMark): Promise<void> {
    // Both are called in one turn, so that both are in one commit.
    const marking = log.setMark(DRAIN_MARK, encodeDrainMark(mark));
    log.trim(keptFrom(mark)).catch((error: unknown) => this.#parts.store.failed(log, error));
    await marking;
  }

  /** Resolves when something has changed, or after a short time. */
  async #changed(): Promise<void> {
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    await this.#parts.clock.sleep(LOOK_AGAIN_MS, woken.signal);
    this.#wake = () => {};
  }
}

/** Whether a batch needs another identity before it can go on. */
function isUnplaced({ state }: Delivery): boolean {
  return state === "fenced" || state === "gone";
}

function replaceOrAdd(
  deliveries: readonly Delivery[],
  { delivery, instead }: Prepared,
): readonly Delivery[] {
  if (instead === null) return [...deliveries, delivery];
  return deliveries.map((one) => (one === instead ? delivery : one));
}
