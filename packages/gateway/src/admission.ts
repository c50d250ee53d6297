import type { FaultCode } from "./error-responses.js";

/** Bounds of {@link Admission}. */
export interface AdmissionLimits {
  readonly maxInFlightRequests: number;
  /** Null sets none. */
  readonly maxInFlightPerClient: number | null;
}

/** Decides whether a request is taken before any of it is read, so that refusing costs next to nothing. */
export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #isOverloaded: () => boolean;
  readonly #byClient = new Map<string, number>();
  #inFlight = 0;

  /** @param isOverloaded whether there is another reason to refuse whatever comes. */
  constructor(limits: AdmissionLimits, isOverloaded: () => boolean) {
    this.#limits = limits;
    this.#isOverloaded = isOverloaded;
  }

  /** Whether {@link enter} must know who the client is. */
  get isPerClient(): boolean {
    return this.#limits.maxInFlightPerClient !== null;
  }

  /** Whether requests are refused just now, whoever sends them. */
  get isFull(): boolean {
    return this.#inFlight >= this.#limits.maxInFlightRequests || this.#isOverloaded();
  }

  /** Admits a request, which must {@link leave}, or says why not. @param client its address; null when nothing depends on it. */
  enter(client: string | null): FaultCode | null {
    const { maxInFlightPerClient } = this.#limits;
    if (this.isFull) return "busy";
    if (client !== null) {
      const inFlight = this.#byClient.get(client) ?? 0;
      if (inFlight >= (maxInFlightPerClient ?? Number.POSITIVE_INFINITY)) return "busy_client";
      this.#byClient.set(client, inFlight + 1);
    }
    this.#inFlight += 1;
    return null;
  }

  /** Ends what {@link enter} began. @param client as it was given to it. */
  leave(client: string | null): void {
    this.#inFlight -= 1;
    if (client === null) return;
    const inFlight = (this.#byClient.get(client) ?? 0) - 1;
    if (inFlight > 0) this.#byClient.set(client, inFlight);
    else this.#byClient.delete(client);
  }
}
