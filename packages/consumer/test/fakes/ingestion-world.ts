import { BadShareBreaker } from "../../src/bad-share-breaker.js";
import type { IngestStep } from "../../src/ingest-observer.js";
import { ingestPartition, type PartitionParts } from "../../src/ingest-partition.js";
import type { TakeLimits } from "../../src/record-source.js";
import type { ReportRange } from "../../src/report-range.js";
import { ViewWatch } from "../../src/view-watch.js";
import { WriteRetrier } from "../../src/write-retrier.js";
import type { InMemoryAssignedPartition } from "./in-memory-assigned-partition.js";
import { InMemoryDeadLetters } from "./in-memory-dead-letters.js";
import { InMemoryJudgedRecords } from "./in-memory-judged-records.js";
import { InMemoryLedger } from "./in-memory-ledger.js";
import { InMemoryLog } from "./in-memory-log.js";
import { InMemoryReportWriter } from "./in-memory-report-writer.js";
import { InMemoryStoredReports } from "./in-memory-stored-reports.js";
import { LeapingClock } from "./leaping-clock.js";
import { RecordedLogger } from "./recorded-logger.js";
import { ScriptedObserver } from "./scripted-observer.js";

/** After this time the database ends an insert, ms. */
export const INSERT_TIMEOUT_MS = 30_000;

/** The process dies: nothing of it goes on, and nothing is cleaned up. */
export class Crash extends Error {
  override readonly name = "Crash";
}

/** One process's life with a partition. */
export interface Life {
  readonly limits?: Partial<TakeLimits>;
  readonly tokenTrustMs?: number;
  /** Called at each step with its number, from 1. */
  readonly atStep?: (
    step: IngestStep,
    range: ReportRange,
    count: number,
    assigned: InMemoryAssignedPartition,
  ) => void;
  /** Called before it begins. */
  readonly prepare?: (assigned: InMemoryAssignedPartition) => void;
}

/** Kafka and ClickHouse as one partition's ingestion sees them; both outlive the processes that ingest. */
export class IngestionWorld {
  /** What the outside saw, in order. */
  readonly journal: string[] = [];
  readonly source = "test.1";
  readonly clock = new LeapingClock();
  readonly logger = new RecordedLogger();
  readonly log = new InMemoryLog(3, this.clock, this.journal);
  readonly writer = new InMemoryReportWriter(undefined, this.journal);
  readonly ledger = new InMemoryLedger(this.source, this.journal);
  readonly deadLetters = new InMemoryDeadLetters(this.journal);
  readonly storedReports = new InMemoryStoredReports(this.writer.rows, this.source);

  /** Offsets of the rows, in order of offset; one that is twice in the table is twice here. */
  get rowOffsets(): readonly number[] {
    return this.writer.rows.map(({ offset }) => offset).sort((a, b) => a - b);
  }

  /** The parts of a process. */
  parts(observer: ScriptedObserver, life: Life = {}): PartitionParts {
    const retrier = new WriteRetrier(
      this.clock,
      this.logger,
      {
        passing: { initialMs: 10, maxMs: 100 },
        misconfigured: { initialMs: 1_000, maxMs: 1_000 },
      },
      { retried: () => undefined },
    );
    const { source, writer, ledger, deadLetters, storedReports, clock, logger } = this;
    const share = { windowRecords: 10_000, maxPercent: 20 };
    const breaker = new BadShareBreaker(share, clock, logger, observer);
    const limits = { maxRecords: 10, maxBytes: 1_000_000, maxDelayMs: 100, ...life.limits };
    return {
      source,
      writer,
      viewWatch: new ViewWatch(writer, retrier),
      ledger,
      deadLetters,
      storedReports,
      judgedRecords: new InMemoryJudgedRecords(ledger, deadLetters),
      breaker,
      retrier,
      observer,
      clock,
      logger,
      tokenTrustMs: life.tokenTrustMs ?? 300_000,
      insertTimeoutMs: INSERT_TIMEOUT_MS,
      limits: () => limits,
    };
  }

  /**
   * A process begins, ingests until the log has no more or its end comes, and leaves.
   * @returns how it ended, and what its observer heard.
   */
  async live(life: Life = {}): Promise<{ crashed: boolean; observer: ScriptedObserver }> {
    const assigned = this.log.assign();
    const observer = new ScriptedObserver(
      (step, range, count) => life.atStep?.(step, range, count, assigned),
      this.journal,
    );
    const halted = new AbortController();
    assigned.onIdle = () => halted.abort();
    life.prepare?.(assigned);
    try {
      await ingestPartition(assigned, this.parts(observer, life), halted.signal);
      return { crashed: false, observer };
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      return { crashed: true, observer };
    } finally {
      assigned.end();
      this.#forgetFailures();
    }
  }

  #forgetFailures(): void {
    for (const { failures } of [this.writer, this.ledger, this.deadLetters, this.storedReports])
      failures.forget();
    this.writer.probeFailures.forget();
    this.writer.viewFailures.forget();
    this.writer.partFailures.forget();
    this.writer.memoryFailures.forget();
    this.ledger.endFailures.forget();
  }
}
