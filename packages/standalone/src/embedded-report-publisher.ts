import { type EmbeddedLog, LogError } from "@push-reports/embedded-log";
import { type Kept, PublishError, type ReportPublisher } from "@push-reports/gateway";
import type { ReportRecord } from "@push-reports/report";

/** Publishes to the embedded log: durable once fsynced. */
export class EmbeddedReportPublisher implements ReportPublisher {
  readonly #log: EmbeddedLog;

  constructor(log: EmbeddedLog) {
    this.#log = log;
  }

  async publish(record: ReportRecord): Promise<Kept> {
    try {
      await this.#log.append(record);
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
