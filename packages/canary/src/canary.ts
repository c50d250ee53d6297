import { randomUUID } from "node:crypto";
import type { Clock, Health, HealthSource, Logger, Part } from "@push-reports/service-kit";
import type { CanaryMetrics } from "./metrics.js";
import type { CanaryRow } from "./queryable-rows.js";
import type { CanaryAnswer } from "./send-canary.js";

/** What the canary works with. */
export interface CanaryParts {
  /** Sends one report. Never rejects. */
  readonly send: (deviceId: string, at: number, stopped: AbortSignal) => Promise<CanaryAnswer>;
  /** Those of the reports that are rows. */
  readonly rowsAmong: (deviceIds: readonly string[]) => Promise<readonly CanaryRow[]>;
  readonly metrics: CanaryMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How often, how many, how long. */
export interface CanaryOptions {
  readonly reports: number;
  readonly intervalMs: number;
  readonly missingAfterMs: number;
}

const LOOK_EVERY_MS = 500;
/** Reports that may wait to be rows; with more no further is sent, as while the database is away for long. A look names them all in its address. */
const MAX_WAITING = 5_000;
/** Rows whose partitions are counted. */
const LATEST_ROWS = 100;

/** Sends rounds of reports, and watches each until it is a row. It needs no other traffic, and asks no part of the pipeline how it is. */
export class Canary implements Part, HealthSource {
  readonly name = "canary";
  readonly #parts: CanaryParts;
  readonly #options: CanaryOptions;
  readonly #stopped = new AbortController();
  /** Sending times of reports that were answered 200, by device. */
  readonly #waiting = new Map<string, number>();
  #latestPartitions: readonly number[] = [];
  #isBlind = false;
  #working: Promise<unknown> = Promise.resolve();

  constructor(parts: CanaryParts, options: CanaryOptions) {
    this.#parts = parts;
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#working = Promise.all([this.#sendRounds(), this.#lookAgain()]);
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#working;
  }

  live(): Health {
    return { ok: true };
  }

  /** Well whatever it finds: what it finds is in its series. */
  ready(): Health {
    return { ok: true, details: { waiting: this.#waiting.size, isBlind: this.#isBlind } };
  }

  async #sendRounds(): Promise<void> {
    const { clock } = this.#parts;
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      const nextAt = clock.now() + this.#options.intervalMs;
      // One after the other: at the same time they would share a batch, and a partition.
      for (let sent = 0; sent < this.#options.reports && !signal.aborted; sent += 1)
        if (this.#waiting.size < MAX_WAITING) await this.#sendOne(signal);
      await clock.sleep(Math.max(0, nextAt - clock.now()), signal);
    }
  }

  async #sendOne(stopped: AbortSignal): Promise<void> {
    const { send, metrics, clock } = this.#parts;
    const deviceId = `canary-${randomUUID()}`;
    const sentAt = clock.now();
    const answer = await send(deviceId, sentAt, stopped);
    if (stopped.aborted) return;
    if (answer !== "accepted") return metrics.reports.inc({ outcome: answer });
    metrics.answerSeconds.observe((clock.now() - sentAt) / 1_000);
    this.#waiting.set(deviceId, sentAt);
  }

  async #lookAgain(): Promise<void> {
    const { clock, logger } = this.#parts;
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      try {
        if (this.#waiting.size > 0) await this.#look();
        this.#isBlind = false;
      } catch (error) {
        if (!this.#isBlind && !signal.aborted) logger.warn("rows_unknown", { error });
        this.#isBlind = true;
      }
      this.#giveUp();
      this.#tell();
      await clock.sleep(LOOK_EVERY_MS, signal);
    }
  }

  async #look(): Promise<void> {
    const { rowsAmong, metrics, clock } = this.#parts;
    const rows = await rowsAmong([...this.#waiting.keys()]);
    for (const { deviceId, partition } of rows) {
      const sentAt = this.#waiting.get(deviceId);
      if (sentAt === undefined) continue;
      this.#waiting.delete(deviceId);
      metrics.queryableSeconds.observe((clock.now() - sentAt) / 1_000);
      metrics.reports.inc({ outcome: "queryable" });
      this.#latestPartitions = [...this.#latestPartitions, partition].slice(-LATEST_ROWS);
    }
  }

  /** Without a look nobody knows what is missing. */
  #giveUp(): void {
    const { metrics, clock, logger } = this.#parts;
    if (this.#isBlind) return;
    const since = clock.now() - this.#options.missingAfterMs;
    for (const [deviceId, sentAt] of this.#waiting) {
      if (sentAt > since) continue;
      this.#waiting.delete(deviceId);
      metrics.reports.inc({ outcome: "missing" });
      logger.error("canary_missing", { deviceId, sentAt: new Date(sentAt).toISOString() });
    }
  }

  #tell(): void {
    const { metrics, clock } = this.#parts;
    const [oldest] = this.#waiting.values();
    metrics.waiting.set(this.#waiting.size);
    metrics.oldestWaiting.set(oldest === undefined ? 0 : (clock.now() - oldest) / 1_000);
    metrics.partitions.set(new Set(this.#latestPartitions).size);
  }
}
