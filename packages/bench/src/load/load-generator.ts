import { LatencyHistogram } from "./latency-histogram.js";
import type { LoadPlan } from "./load-plan.js";
import { type ConnectionListener, RequestConnection } from "./request-connection.js";

/** Connections that are opened at the same time. */
const OPENED_AT_ONCE = 64;
/** How often an open loop looks for requests that are due, ms; a latency is too long by that at most. */
const TICK_MS = 1;
/** A connection that broke is opened anew after this time, ms. */
const REOPEN_MS = 20;

/** What was counted between two looks. */
export interface Counted {
  readonly answers: Readonly<Record<string, number>>;
  readonly failures: number;
  readonly unanswered: number;
  readonly latency: LatencyHistogram;
  /** The same by status. */
  readonly latencyOf: ReadonlyMap<number, LatencyHistogram>;
}

/** Sends requests by a plan and counts every answer. */
export class LoadGenerator implements ConnectionListener {
  readonly #plan: LoadPlan;
  readonly #requests: readonly Buffer[];
  readonly #open = new Set<RequestConnection>();
  readonly #idle: RequestConnection[] = [];
  #next = 0;
  #beganAt = 0;
  #isRunning = false;
  #ticking: NodeJS.Timeout | undefined;
  #failures = 0;
  #latencyOf = new Map<number, LatencyHistogram>();
  #waiting = 0;

  /** @param requests are sent in turn. */
  constructor(plan: LoadPlan, requests: readonly Buffer[]) {
    this.#plan = plan;
    this.#requests = requests;
  }

  /** Opens every connection. @throws Error when one cannot be opened. */
  async connect(): Promise<void> {
    for (let missing = this.#plan.connections; missing > 0; missing -= OPENED_AT_ONCE) {
      const count = Math.min(missing, OPENED_AT_ONCE);
      const opened = await Promise.all(
        Array.from({ length: count }, () => RequestConnection.open(this.#plan.port, this)),
      );
      for (const connection of opened) this.#add(connection);
    }
  }

  /** Begins to send. */
  start(): void {
    this.#isRunning = true;
    this.#beganAt = performance.now();
    if (this.#plan.perSecond === null) {
      for (const connection of this.#idle.splice(0)) this.#send(connection, this.#beganAt);
      return;
    }
    this.#ticking = setInterval(() => this.#sendDue(performance.now()), TICK_MS);
  }

  /** What was counted since the last call; begins to count anew. */
  take(): Counted {
    const counted = {
      answers: Object.fromEntries(
        [...this.#latencyOf].map(([status, { total }]) => [status, total]),
      ),
      failures: this.#failures,
      unanswered: this.#waiting + this.#overdue(performance.now()),
      latency: sumOf(this.#latencyOf.values()),
      latencyOf: this.#latencyOf,
    };
    this.#failures = 0;
    this.#latencyOf = new Map();
    return counted;
  }

  /** Sends nothing more and closes every connection. */
  stop(): void {
    this.#isRunning = false;
    clearInterval(this.#ticking);
    for (const connection of this.#open) connection.close();
  }

  answered(connection: RequestConnection, status: number): void {
    const now = performance.now();
    this.#waiting -= 1;
    const ofStatus = this.#latencyOf.get(status) ?? new LatencyHistogram();
    ofStatus.record(now - connection.dueAt);
    this.#latencyOf.set(status, ofStatus);
    this.#makeUseOf(connection, now);
  }

  ended(connection: RequestConnection, owed: boolean): void {
    if (!this.#open.delete(connection)) return;
    const at = this.#idle.indexOf(connection);
    if (at !== -1) this.#idle.splice(at, 1);
    if (owed) {
      this.#waiting -= 1;
      this.#failures += 1;
    }
    if (this.#isRunning) setTimeout(() => void this.#reopen(), REOPEN_MS);
  }

  async #reopen(): Promise<void> {
    if (!this.#isRunning) return;
    try {
      const connection = await RequestConnection.open(this.#plan.port, this);
      if (!this.#isRunning) return connection.close();
      this.#open.add(connection);
      this.#makeUseOf(connection, performance.now());
    } catch {
      this.#failures += 1;
      setTimeout(() => void this.#reopen(), REOPEN_MS);
    }
  }

  #add(connection: RequestConnection): void {
    this.#open.add(connection);
    this.#idle.push(connection);
  }

  #makeUseOf(connection: RequestConnection, now: number): void {
    if (!this.#isRunning) return;
    const dueAt = this.#plan.perSecond === null ? now : this.#dueOf(this.#next);
    if (dueAt <= now) this.#send(connection, dueAt);
    else this.#idle.push(connection);
  }

  #sendDue(now: number): void {
    for (;;) {
      const dueAt = this.#dueOf(this.#next);
      if (dueAt > now) return;
      const connection = this.#idle.shift();
      // Without a connection they stay due: the wait counts as latency.
      if (connection === undefined) return;
      this.#send(connection, dueAt);
    }
  }

  #send(connection: RequestConnection, dueAt: number): void {
    const request = this.#requests[this.#next % this.#requests.length] as Buffer;
    this.#next += 1;
    this.#waiting += 1;
    connection.send(request, dueAt);
  }

  #dueOf(index: number): number {
    return this.#beganAt + (index * 1_000) / (this.#plan.perSecond ?? Number.POSITIVE_INFINITY);
  }

  /** Requests that are due and wait for a connection. */
  #overdue(now: number): number {
    const { perSecond } = this.#plan;
    if (perSecond === null) return 0;
    return Math.max(0, Math.floor(((now - this.#beganAt) * perSecond) / 1_000) + 1 - this.#next);
  }
}

function sumOf(histograms: Iterable<LatencyHistogram>): LatencyHistogram {
  const sum = new LatencyHistogram();
  for (const histogram of histograms) sum.add(histogram);
  return sum;
}
