import { type EmbeddedLog, LogError } from "@push-reports/embedded-log";
import { type Kept, PublishError, type ReportPublisher, waitingSince } from "@push-reports/gateway";
import type { ReportRecord } from "@push-reports/report";
import type { Clock } from "@push-reports/service-kit";
import { AnswerDeadline } from "./answer-deadline.js";

/** Publishes to the embedded log: durable once fsynced. What the disk does not take in time is refused, and may be durable all the same. */
export class EmbeddedReportPublisher implements ReportPublisher {
  readonly #log: EmbeddedLog;
  readonly #clock: Clock;
  readonly #deadline: AnswerDeadline;

  constructor(log: EmbeddedLog, limits: { readonly answerDeadlineMs: number }, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
    this.#deadline = new AnswerDeadline(limits.answerDeadlineMs, clock);
  }

  async publish(record: ReportRecord): Promise<Kept> {
    try {
      const since = waitingSince(record, this.#clock.now());
      await this.#deadline.bound(this.#log.append(record), since);
      return "published";
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
      throw publishErrorOf(error);
    }
  }

  isHealthy(): boolean {
    return this.#log.isHealthy();
  }
}

function publishErrorOf(error: LogError): PublishError {
  switch (error.code) {
    case "log_overloaded":
    case "log_full":
      return new PublishError("overloaded", "The embedded log has no room", { cause: error });
    case "log_closed":
      return new PublishError("stopping", "The embedded log is closed", { cause: error });
    default:
      return new PublishError("unavailable", "The embedded log cannot be written", {
        cause: error,
      });
  }
}
