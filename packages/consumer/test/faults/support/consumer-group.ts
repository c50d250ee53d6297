import { freePort, waitFor } from "@push-reports/test-support";
import type { IngestStep } from "../../../src/index.js";
import type { ClickHouseProxy } from "./clickhouse-proxy.js";
import { ConsumerNetwork } from "./consumer-network.js";
import { ConsumerProcess, type HeldRange } from "./consumer-process.js";
import type { Mutant } from "./mutants.js";
import { PlannedAnswers } from "./planned-answers.js";
import type { Random } from "./random.js";

/** What all consumers of a group are started with. */
export interface ConsumerGroupOptions {
  readonly environment: Readonly<Record<string, string>>;
  /** `host:port` of each broker, as it advertises itself. */
  readonly brokers: readonly string[];
  readonly clickHouseUrl: string;
  readonly mutant: Mutant | null;
  /** Whether a consumer that ends by itself is started anew, as an orchestrator does; else it is a failure. */
  readonly restarts: boolean;
}

/** A consumer that holds a range. */
export interface Holder {
  readonly consumer: ConsumerProcess;
  readonly range: HeldRange;
}

/** How long it may take until a range reaches a step: rebalances and retries come before it, ms. */
const HOLD_TIMEOUT_MS = 60_000;
/** Of each consumer's log in a failure's text. */
const LAST_LINES = 30;
/** Restarts of one schedule; more than a few mean that consumers cannot live. */
const MAX_RESTARTS = 20;

/** The consumers of one group, each a process with a network of its own. */
export class ConsumerGroup {
  readonly answers = new PlannedAnswers();
  readonly #options: ConsumerGroupOptions;
  readonly #random: Random;
  readonly #started: ConsumerProcess[] = [];
  readonly #failures: string[] = [];
  #restarts = 0;
  #isDisposed = false;

  constructor(options: ConsumerGroupOptions, random: Random) {
    this.#options = options;
    this.#random = random;
  }

  get running(): readonly ConsumerProcess[] {
    return this.#started.filter(({ isRunning, isExpectedToEnd }) => isRunning && !isExpectedToEnd);
  }

  /** What went wrong with the processes themselves. */
  get failures(): readonly string[] {
    return this.#failures;
  }

  /** Everything that the processes wrote, one after the other. */
  get log(): string {
    return this.#started
      .map(({ log }, index) => `== consumer ${index + 1}\n${log.join("")}`)
      .join("\n");
  }

  /** What the running processes say of themselves and wrote last, for whoever cannot have the whole log. */
  async state(): Promise<string> {
    const states = await Promise.all(
      this.running.map(async (consumer) => {
        const series = await consumer.series().catch((error: unknown) => `no series: ${error}`);
        return `${series}\n${this.#lastOf(consumer)}`;
      }),
    );
    return states.join("\n");
  }

  #lastOf(consumer: ConsumerProcess): string {
    const last = consumer.log.join("").trimEnd().split("\n").slice(-LAST_LINES);
    return [`== consumer ${this.#started.indexOf(consumer) + 1}`, ...last].join("\n");
  }

  /** What its processes say of their code: the name of a mutant, or null for the code as it is built. */
  get appliedMutants(): ReadonlySet<string | null> {
    const said = this.#started.map(({ appliedMutant }) => appliedMutant);
    return new Set(said.filter((name) => name !== undefined));
  }

  /** Starts one more consumer, with limits of its own: a range under way must come back as it was announced. */
  async start(): Promise<ConsumerProcess> {
    if (this.#isDisposed) throw new Error("The group has been disposed of");
    const { environment, mutant } = this.#options;
    const limits = { MAX_RANGE_ROWS: String(this.#random.pick([20, 60, 150, 1_000])) };
    const network = await ConsumerNetwork.start({ ...this.#options, answers: this.answers });
    const operationsPort = await freePort();
    const consumer = new ConsumerProcess(
      { ...environment, ...limits, OPERATIONS_PORT: String(operationsPort) },
      { network, operationsPort, mutant },
    );
    this.#started.push(consumer);
    void this.#watch(consumer);
    return consumer;
  }

  /**
   * Holds the first range of any consumer that is the `after`-th of it to reach `step`, and lets all others go on.
   * @throws Error when none gets there.
   */
  async holdOneAt(step: IngestStep, after: number): Promise<Holder> {
    let holder: Holder | undefined;
    const hold = (consumer: ConsumerProcess) =>
      consumer.holdAt(step, after, (range) => {
        holder ??= { consumer, range };
        for (const other of this.running) if (other !== holder.consumer) other.letGo();
      });
    for (const consumer of this.running) hold(consumer);
    return await waitFor(() => holder, {
      what: `a range to reach the step ${step}`,
      timeoutMs: HOLD_TIMEOUT_MS,
      intervalMs: 10,
    });
  }

  /** Of the consumer behind a proxy. */
  behind(proxy: ClickHouseProxy): ConsumerProcess {
    const found = this.#started.find(({ network }) => network.proxy === proxy);
    if (found === undefined) throw new Error("The proxy belongs to no consumer");
    return found;
  }

  /** SIGKILL to all of them. */
  async killAll(): Promise<void> {
    await Promise.all(this.#started.map((consumer) => consumer.kill()));
  }

  /** SIGTERM to all of them. @throws Error when one does not end with code 0. */
  async stopAll(): Promise<void> {
    await Promise.all(this.running.map((consumer) => consumer.stop()));
  }

  /** Kills what runs and ends its network. */
  async dispose(): Promise<void> {
    this.#isDisposed = true;
    await this.killAll();
    await Promise.all(this.#started.map(({ network }) => network.close()));
  }

  async #watch(consumer: ConsumerProcess): Promise<void> {
    const { code, signal } = await consumer.exit;
    if (consumer.isExpectedToEnd) return;
    // An orchestrator would start it anew; whoever reads the test's output should know of it all the same.
    if (code !== 0 && !this.#isDisposed) console.info(this.#lastOf(consumer));
    const isRestarted = this.#options.restarts && this.#restarts < MAX_RESTARTS;
    if (!isRestarted) this.#failures.push(`a consumer ended by itself with ${code ?? signal}`);
    this.#restarts += 1;
    if (isRestarted && !this.#isDisposed) await this.start();
  }
}
