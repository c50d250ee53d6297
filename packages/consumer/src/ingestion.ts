import type { Clock, Health, HealthSource, Logger, Part } from "@push-reports/service-kit";
import type { ActivityClock } from "./activity-clock.js";
import type { Backlog } from "./backlog.js";
import type { BacklogWatch } from "./backlog-watch.js";
import { ingestPartition, type PartitionParts } from "./ingest-partition.js";
import type { ConsumerMetrics } from "./metrics.js";
import { type ProgressWatch, StalledError } from "./progress-watch.js";
import type { AssignedPartition, RecordSource } from "./record-source.js";

/** Bounds of {@link Ingestion}. */
export interface IngestionOptions {
  readonly stallTimeoutMs: number;
  /** How long a stop waits for the ranges in hand, ms. */
  readonly drainMs: number;
}

/** What follows ingestion and says how it gets on. */
export interface IngestionWatches {
  readonly progress: ProgressWatch;
  readonly backlog: Backlog;
  readonly backlogWatch: BacklogWatch;
  readonly activities: ActivityClock;
}

/** A source that shows no sign of life, or a write that does not succeed, for so long is not ready, ms. */
const QUIET_MS = 30_000;
/** How often progress is checked and told, ms. */
const CHECK_EVERY_MS = 1_000;

/** Ingests every partition that the source assigns, each in a loop of its own. */
export class Ingestion implements Part, HealthSource {
  readonly name = "ingestion";
  /** Resolves when ingestion can go on no longer. */
  readonly failed: Promise<Error>;
  readonly #source: RecordSource;
  readonly #parts: PartitionParts;
  readonly #watches: IngestionWatches;
  readonly #metrics: ConsumerMetrics;
  readonly #options: IngestionOptions;
  readonly #halted = new AbortController();
  readonly #running = new Map<number, Promise<void>>();
  #fail: (error: Error) => void = () => undefined;
  #failure: Error | null = null;
  #hasJoined = false;
  #checks: NodeJS.Timeout | null = null;

  constructor(
    source: RecordSource,
    parts: PartitionParts,
    watches: IngestionWatches,
    metrics: ConsumerMetrics,
    options: IngestionOptions,
  ) {
    this.#source = source;
    this.#parts = parts;
    this.#watches = watches;
    this.#metrics = metrics;
    this.#options = options;
    this.failed = new Promise((resolve) => {
      this.#fail = (error) => {
        this.#failure ??= error;
        resolve(error);
      };
    });
  }

  get #clock(): Clock {
    return this.#parts.clock;
  }

  get #logger(): Logger {
    return this.#parts.logger;
  }

  async start(): Promise<void> {
    this.#checks = setInterval(() => this.#check(), CHECK_EVERY_MS);
    await this.#source.start(
      (assigned) => this.#run(assigned),
      (error) => this.#fail(error),
      () => this.#joined(),
    );
    void this.#watches.backlogWatch.run(this.#halted.signal, () => this.#tellBacklog());
  }

  /** Completes the ranges in hand for as long as that may take, then leaves; what is left is done again by a successor. */
  async stop(): Promise<void> {
    if (this.#checks !== null) clearInterval(this.#checks);
    this.#halted.abort();
    const settled = new AbortController();
    await Promise.race([
      Promise.allSettled(this.#running.values()),
      this.#clock.sleep(this.#options.drainMs, settled.signal),
    ]);
    settled.abort();
    if (this.#running.size > 0)
      this.#logger.warn("ranges_abandoned", { partitions: this.#running.size });
    await this.#source.stop();
    await Promise.allSettled(this.#running.values());
  }

  live(): Health {
    return this.#failure === null ? { ok: true } : { ok: false, reason: this.#failure.message };
  }

  ready(): Health {
    const problem = this.#parts.retrier.problem();
    const held = this.#parts.breaker.heldRange();
    const lagRecords = this.#lagRecords();
    const sinceProgressMs = lagRecords === 0 ? 0 : this.#watches.progress.sinceStepMs;
    const partitions = this.#running.size;
    const details = { partitions, lagRecords, sinceProgressMs, problem, held };
    const reason = this.#whyNotReady();
    return reason === null ? { ok: true, details } : { ok: false, reason, details };
  }

  #whyNotReady(): string | null {
    const now = this.#clock.now();
    const problem = this.#parts.retrier.problem();
    const held = this.#parts.breaker.heldRange();
    if (this.#failure !== null) return this.#failure.message;
    if (this.#halted.signal.aborted) return "stopping";
    const sourceProblem = this.#source.problem();
    if (sourceProblem !== null) return `records cannot be read: ${sourceProblem}`;
    if (!this.#hasJoined) return "not yet in the group";
    if (now - this.#source.lastActivityAt() > QUIET_MS) return "the source of records is silent";
    if (problem?.failure === "misconfigured")
      return problem.clickHouseCode === 0
        ? problem.message
        : `ClickHouse refuses ${problem.operation} with code ${problem.clickHouseCode}`;
    if (held !== null)
      return `too many records are bad: nothing more is taken until partition ${held.partition} goes on (MAX_BAD_PERCENT)`;
    if (problem !== null && now - problem.since > QUIET_MS)
      return `${problem.operation} has not succeeded for ${Math.round((now - problem.since) / 1_000)} s`;
    return null;
  }

  /** The group dealt out its partitions; those of this process follow, if there are any. */
  #joined(): void {
    this.#hasJoined = true;
    this.#metrics.rebalances.inc();
    this.#watches.activities.joined();
  }

  #run(assigned: AssignedPartition): void {
    const { partition } = assigned;
    const { observer } = this.#parts;
    observer.assigned?.(partition);
    const run = ingestPartition(assigned, this.#parts, this.#halted.signal)
      .catch((error: unknown) => {
        this.#fail(error instanceof Error ? error : new Error(String(error)));
      })
      .finally(() => {
        // Its next epoch may have begun already.
        if (this.#running.get(partition) !== run) return;
        this.#running.delete(partition);
        this.#metrics.assignedPartitions.set(this.#running.size);
        this.#metrics.lagRecords.remove({ partition });
        this.#metrics.lagSeconds.remove({ partition });
        observer.ended?.(partition);
      });
    this.#running.set(partition, run);
    this.#metrics.assignedPartitions.set(this.#running.size);
  }

  #lagRecords(): number {
    const { backlog } = this.#watches;
    return backlog.partitions().reduce((sum, { lagRecords }) => sum + lagRecords, 0);
  }

  /** After each look at the log's end. */
  #tellBacklog(): void {
    const { backlog, progress } = this.#watches;
    for (const { partition, lagRecords, lagSeconds } of backlog.partitions()) {
      this.#metrics.lagRecords.set({ partition }, lagRecords);
      if (lagSeconds !== null) this.#metrics.lagSeconds.set({ partition }, lagSeconds);
      progress.noteLag(partition, lagRecords);
    }
    this.#metrics.drainEta.set(backlog.drainEtaSeconds());
  }

  #check(): void {
    const { stallTimeoutMs } = this.#options;
    const { progress, activities } = this.#watches;
    const { retrier, breaker } = this.#parts;
    this.#metrics.bufferedBytes.set(this.#source.bufferedBytes());
    const held = breaker.heldRange();
    progress.held(breaker.heldPartitions());
    activities.tick();
    const sinceProgressMs = this.#lagRecords() === 0 ? 0 : progress.sinceStepMs;
    this.#metrics.sinceProgress.set(sinceProgressMs / 1_000);
    const isMisconfigured =
      this.#source.problem() !== null || retrier.problem()?.failure === "misconfigured";
    this.#metrics.misconfigured.set(isMisconfigured ? 1 : 0);
    this.#metrics.tooManyBad.set(held === null ? 0 : 1);
    const partition = progress.stalledPartition(stallTimeoutMs);
    if (partition !== null)
      this.#fail(
        new StalledError(`Partition ${partition} made no progress for ${stallTimeoutMs} ms`),
      );
    if (this.#clock.now() - this.#source.lastActivityAt() > stallTimeoutMs)
      this.#fail(new StalledError(`The source of records was silent for ${stallTimeoutMs} ms`));
  }
}
