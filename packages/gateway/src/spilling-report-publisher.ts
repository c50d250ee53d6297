import { LogError } from "@push-reports/embedded-log";
import type { ReportRecord } from "@push-reports/report";
import { type Clock, type Logger, type Part, within } from "@push-reports/service-kit";
import { waitingSince } from "./publish/waiting-since.js";
import { type Kept, PublishError, type ReportPublisher, type SentTo } from "./report-publisher.js";
import type { HandOver } from "./spill/hand-over.js";
import type { SpillDrain } from "./spill/spill-drain.js";
import type { SpillStore } from "./spill/spill-store.js";
import { encodeSpilled } from "./spill/spilled-record.js";

/** What the publisher joins. */
export interface SpillingPublisherParts {
  /** Publishes to Kafka, well within the answer's deadline. */
  readonly direct: ReportPublisher & Required<Pick<Part, "start" | "stop">>;
  readonly store: SpillStore;
  readonly drain: SpillDrain;
  readonly handOver: HandOver;
  readonly onSpillError: (code: LogError["code"]) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Bounds of the publisher, ms. */
export interface SpillingPublisherLimits {
  /** Every publish settles within this time. */
  readonly answerDeadlineMs: number;
  /** How long a stop goes on draining. */
  readonly stopDrainMs: number;
}

/** Why a record is not known to be in the spill. */
interface SpillFault {
  /** The append goes on. */
  readonly isLate: boolean;
  readonly cause: unknown;
}

/** What is left of the deadline for the answer to leave, ms. */
const ANSWER_MARGIN_MS = 200;
/** An error that goes on is logged this often, ms. */
const COMPLAIN_EVERY_MS = 10_000;

/**
 * Makes records durable on Kafka, or, when Kafka cannot take them, on this machine's disk until it can. While anything is in the spill that
 * can be drained, new records go behind it. A spill that cannot take a record stands in no one's way: then Kafka alone decides. A record that
 * may be in the spill although nobody said so is refused: sent to Kafka as well, it would be there twice.
 */
export class SpillingReportPublisher implements ReportPublisher, Part {
  readonly name = "spilling-report-publisher";
  readonly #parts: SpillingPublisherParts;
  readonly #limits: SpillingPublisherLimits;
  #isStopping = false;
  #quietUntil = 0;

  constructor(parts: SpillingPublisherParts, limits: SpillingPublisherLimits) {
    this.#parts = parts;
    this.#limits = limits;
  }

  /** @throws SpillInUseError */
  async start(): Promise<void> {
    await this.#parts.store.open();
    await this.#parts.direct.start();
    this.#parts.drain.start();
  }

  async publish(record: ReportRecord): Promise<Kept> {
    const { direct, handOver, clock } = this.#parts;
    if (this.#isStopping) throw new PublishError("stopping", "The publisher is stopping");
    const since = waitingSince(record, clock.now());
    const endsAt = since + this.#limits.answerDeadlineMs - ANSWER_MARGIN_MS;
    const undecided = handOver.decided();
    if (undecided !== null) await undecided;
    if (handOver.isBehind || !direct.isHealthy()) return await this.#spillFirst(record, endsAt);
    try {
      return await direct.publish(record);
    } catch (error) {
      if (!(error instanceof PublishError)) throw error;
      return await this.#spillAfter(error, record, endsAt);
    }
  }

  isHealthy(): boolean {
    return this.#parts.direct.isHealthy() || this.#parts.store.log?.isHealthy() === true;
  }

  /** Lets what is under way settle, on Kafka or in the spill, and leaves what is in the spill to the next start. */
  async stop(): Promise<void> {
    const { direct, drain, store } = this.#parts;
    this.#isStopping = true;
    await Promise.all([direct.stop(), drain.stop(this.#limits.stopDrainMs)]);
    await store.close();
  }

  /** Kafka cannot be expected to take it now, or it would overtake what is in the spill. */
  async #spillFirst(record: ReportRecord, endsAt: number): Promise<Kept> {
    const { direct } = this.#parts;
    const fault = await this.#spill(record, null, endsAt);
    if (fault === null) return "spilled";
    const { cause } = fault;
    if (fault.isLate) throw new PublishError("timeout", "The disk did not sync in time", { cause });
    if (!(cause instanceof LogError && cause.leftBehind === "nothing"))
      throw new PublishError("unavailable", "The spill may have the record or not", { cause });
    if (direct.isHealthy()) return await this.#publishUntil(endsAt, record);
    const isFull = /^log_(full|overloaded)$/.test(cause.code);
    const code = isFull ? "overloaded" : "unavailable";
    throw new PublishError(code, "Neither Kafka nor the spill takes records", { cause });
  }

  /** Kafka did not take it, or did not say so. */
  async #spillAfter(failure: PublishError, record: ReportRecord, endsAt: number): Promise<Kept> {
    const fault = await this.#spill(record, failure.sentTo, endsAt);
    if (fault === null) return "spilled";
    throw failure;
  }

  /** To Kafka after some of the time has gone into a spill that did not take it. */
  async #publishUntil(endsAt: number, record: ReportRecord): Promise<Kept> {
    const { direct, clock } = this.#parts;
    const leftMs = Math.max(0, endsAt - clock.now());
    const end = await within(direct.publish(record), leftMs, clock);
    if (end.kind === "resolved") return end.value;
    if (end.kind === "rejected") throw end.error;
    throw new PublishError("timeout", "Kafka did not take it in what was left of the time");
  }

  /** Null once the record is fsynced in the spill, else why it is not known to be. */
  async #spill(
    record: ReportRecord,
    sentTo: SentTo | null,
    endsAt: number,
  ): Promise<SpillFault | null> {
    const { store, handOver, clock } = this.#parts;
    handOver.fallBehind();
    const appending = store.append(encodeSpilled(record, sentTo));
    const end = await within(appending, Math.max(0, endsAt - clock.now()), clock);
    if (end.kind === "resolved") return null;
    const isLate = end.kind === "late";
    const cause = isLate ? new Error("The disk did not sync in time") : end.error;
    this.#complain(cause);
    return { isLate, cause };
  }

  #complain(error: unknown): void {
    const { onSpillError, clock, logger } = this.#parts;
    const code = error instanceof LogError ? error.code : "log_overloaded";
    onSpillError(code);
    const now = clock.now();
    if (now < this.#quietUntil) return;
    this.#quietUntil = now + COMPLAIN_EVERY_MS;
    logger.error("spill_failed", { code, error, remedy: REMEDIES[code] });
  }
}

const REMEDIES: Readonly<Record<LogError["code"], string>> = {
  log_full: "SPILL_MAX_BYTES is reached. Bring Kafka back, or allow for more and start again.",
  log_overloaded: "The disk of SPILL_DIR is too slow for the load.",
  log_broken: "SPILL_DIR cannot be written. Look at its disk, the space on it and its permissions.",
  log_locked: "Another process uses SPILL_DIR. Give each gateway a folder of its own.",
  log_closed: "The gateway is stopping.",
};
