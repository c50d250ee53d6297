import type { Clock, Health, HealthSource, Part } from "@push-reports/service-kit";

/** What the readiness page says besides. */
export type ReadinessDetails = () => Readonly<Record<string, unknown>>;

/**
 * Whether requests should come here: from the end of the start until a stop begins. Kafka's state is a detail and no reason: a load
 * balancer without any ready gateway answers by itself, and its 404 would make iOS register anew, where ours is a 503.
 */
export class Readiness implements HealthSource, Part {
  readonly name = "readiness";
  readonly #details: ReadinessDetails;
  readonly #onStopping: () => void;
  readonly #shutdownDelayMs: number;
  readonly #clock: Clock;
  #state: "starting" | "ready" | "stopping" = "starting";

  constructor(
    parts: {
      readonly details: ReadinessDetails;
      readonly onStopping: () => void;
      readonly clock: Clock;
    },
    shutdownDelayMs: number,
  ) {
    this.#details = parts.details;
    this.#onStopping = parts.onStopping;
    this.#clock = parts.clock;
    this.#shutdownDelayMs = shutdownDelayMs;
  }

  live(): Health {
    return { ok: true };
  }

  ready(): Health {
    const details = this.#details();
    return this.#state === "ready"
      ? { ok: true, details }
      : { ok: false, reason: this.#state, details };
  }

  async start(): Promise<void> {
    this.#state = "ready";
  }

  /** Unready at once; resolves when load balancers have had time to notice. */
  async stop(): Promise<void> {
    const wasReady = this.#state === "ready";
    this.#state = "stopping";
    this.#onStopping();
    if (wasReady) await this.#clock.sleep(this.#shutdownDelayMs);
  }
}
