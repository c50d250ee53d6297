import type { Clock, Health, HealthSource, Logger, Part } from "@push-reports/service-kit";
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

/** A source that shows no sign of life for so long is not ready, ms. */
const QUIET_MS = 30_000;
/** How often progress is checked, as a part of the stall timeout. */
const CHECKS_PER_TIMEOUT = 10;

/** Ingests every partition that the source assigns, each in a loop of its own. */
export class Ingestion implements Part, HealthSource {
  readonly name = "ingestion";
  /** Resolves when ingestion can go on no longer. */
  readonly failed: Promise<Error>;
  readonly #source: RecordSource;
  readonly #parts: PartitionParts;
  readonly #progress: ProgressWatch;
  readonly #metrics: ConsumerMetrics;
  readonly #options: IngestionOptions;
  readonly #halted = new AbortController();
  readonly #running = new Set<Promise<void>>();
  #fail: (error: Error) => void = () => undefined;
  #failure: Error | null = null;
  #hadAssignment = false;
  #checks: NodeJS.Timeout | null = null;

  constructor(
    source: RecordSource,
    parts: PartitionParts,
    progress: ProgressWatch,
    metrics: ConsumerMetrics,
    options: IngestionOptions,
  ) {
    this.#source = source;
    this.#parts = parts;
    this.#progress = progress;
    this.#metrics = metrics;
    this.#options = options;
    this.failed = new Promise((resolve) => {
      this.#fail = (error) => {
        this.#failure ??= error;
        resolve(error);
      };
    });
  }

  /** Partitions that are being ingested. */
  get partitions(): number {
    return this.#running.size;
  }

  get #clock(): Clock {
    return this.#parts.clock;
  }

  get #logger(): Logger {
    return this.#parts.logger;
  }

  async start(): Promise<void> {
    const everyMs = this.#options.stallTimeoutMs / CHECKS_PER_TIMEOUT;
    this.#checks = setInterval(() => this.#checkProgress(), everyMs);
    await this.#source.start(
      (assigned) => this.#run(assigned),
      (error) => this.#fail(error),
    );
  }

  /** Completes the ranges in hand for as long as that may take, then leaves; what is left is done again by a successor. */
  async stop(): Promise<void> {
    if (this.#checks !== null) clearInterval(this.#checks);
    this.#halted.abort();
    const settled = new AbortController();
    await Promise.race([
      Promise.allSettled(this.#running),
      this.#clock.sleep(this.#options.drainMs, settled.signal),
    ]);
    settled.abort();
    if (this.#running.size > 0)
      this.#logger.warn("ranges_abandoned", { partitions: this.#running.size });
    await this.#source.stop();
    await Promise.allSettled(this.#running);
  }

  live(): Health {
    return this.#failure === null ? { ok: true } : { ok: false, reason: this.#failure.message };
  }

  ready(): Health {
    const problem = this.#parts.retrier.problem();
    const details = { partitions: this.#running.size, problem };
    if (this.#failure !== null) return { ok: false, reason: this.#failure.message, details };
    if (this.#halted.signal.aborted) return { ok: false, reason: "stopping", details };
    if (!this.#hadAssignment) return { ok: false, reason: "not yet in the group", details };
    if (this.#clock.now() - this.#source.lastActivityAt() > QUIET_MS)
      return { ok: false, reason: "the source of records is silent", details };
    if (problem?.failure === "misconfigured")
      return {
        ok: false,
        reason: `ClickHouse refuses ${problem.operation} with code ${problem.clickHouseCode}`,
        details,
      };
    return { ok: true, details };
  }

  #run(assigned: AssignedPartition): void {
    this.#hadAssignment = true;
    this.#metrics.epochs.inc();
    const run = ingestPartition(assigned, this.#parts, this.#halted.signal)
      .catch((error: unknown) => {
        this.#fail(error instanceof Error ? error : new Error(String(error)));
      })
      .finally(() => {
        this.#running.delete(run);
        this.#progress.forget(assigned.partition);
        this.#metrics.assignedPartitions.set(this.#running.size);
      });
    this.#running.add(run);
    this.#metrics.assignedPartitions.set(this.#running.size);
  }

  #checkProgress(): void {
    const { stallTimeoutMs } = this.#options;
    const isMisconfigured = this.#parts.retrier.problem()?.failure === "misconfigured";
    this.#metrics.misconfigured.set(isMisconfigured ? 1 : 0);
    const partition = this.#progress.stalledPartition(stallTimeoutMs);
    if (partition !== null)
      this.#fail(
        new StalledError(`Partition ${partition} made no progress for ${stallTimeoutMs} ms`),
      );
    if (this.#clock.now() - this.#source.lastActivityAt() > stallTimeoutMs)
      this.#fail(new StalledError(`The source of records was silent for ${stallTimeoutMs} ms`));
  }
}
