import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { waitFor } from "@push-reports/test-support";
import type { IngestStep } from "../../../src/index.js";
import type { ConsumerNetwork } from "./consumer-network.js";
import type { Mutant } from "./mutants.js";

/** A range that a consumer process holds at a step until it is told to go on. */
export interface HeldRange {
  readonly step: IngestStep;
  readonly partition: number;
  readonly first: number;
  readonly last: number;
}

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** What a consumer process is started with besides its environment. */
export interface ConsumerProcessParts {
  readonly network: ConsumerNetwork;
  /** The one that its environment names. */
  readonly operationsPort: number;
  readonly mutant: Mutant | null;
}

/** Series that tell what a consumer is at. */
const TELLING =
  /^push_reports_consumer_(?:activity|assigned|epochs|lag|rebalances|since|write_retries)[^ ]* .*$/gm;
const SERIES_TIMEOUT_MS = 2_000;

const path = (file: string) => fileURLToPath(new URL(file, import.meta.url));
/** What the consumer logs once the group has given it partitions, perhaps none. */
const ASSIGNED = '"event":"partitions_assigned"';
/** What it logs when a stop has waited long enough for the ranges in hand. */
const GIVEN_UP = '"event":"ranges_abandoned"';

/** One process of the consumer as it is built, with a network of its own. */
export class ConsumerProcess {
  readonly network: ConsumerNetwork;
  /** Resolves when the process is gone. */
  readonly exit: Promise<Exit>;
  /** Lines of its log, and what it wrote to stderr. */
  readonly log: string[] = [];
  readonly #child: ChildProcess;
  readonly #operationsPort: number;
  #onHeld: (held: HeldRange) => void = () => undefined;
  #mutant: string | null | undefined;
  #isExpectedToEnd = false;

  constructor(environment: Readonly<Record<string, string>>, parts: ConsumerProcessParts) {
    const { network, operationsPort, mutant } = parts;
    this.network = network;
    this.#operationsPort = operationsPort;
    this.#child = fork(path("./hooked-consumer.mjs"), [], {
      env: {
        ...environment,
        ...network.environment(),
        ...(mutant && { MUTANT: JSON.stringify(mutant) }),
      },
      execArgv: mutant === null ? [] : ["--import", path("./mutate.mjs")],
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on("data", (chunk: Buffer) => this.log.push(chunk.toString()));
    this.#child.on("message", (message: { held?: HeldRange; mutant?: string | null }) => {
      if (message.held) this.#onHeld(message.held);
      else this.#mutant = message.mutant;
    });
    this.exit = once(this.#child, "exit").then(([code, signal]) => ({ code, signal }));
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Whether the test has ended it, or means to. */
  get isExpectedToEnd(): boolean {
    return this.#isExpectedToEnd;
  }

  /** The mutant that its code says was applied; undefined before it has said so. */
  get appliedMutant(): string | null | undefined {
    return this.#mutant;
  }

  /** Holds the `after`-th range from now on that reaches `step`; `onHeld` is called once it has. */
  holdAt(step: IngestStep, after: number, onHeld: (held: HeldRange) => void): void {
    this.#onHeld = onHeld;
    this.#tell({ hold: { step, after } });
  }

  /** Holds no range that has not been held yet, and lets one go that has. */
  letGo(): void {
    this.#onHeld = () => this.#tell({ goOn: true });
    this.#tell({ hold: null, goOn: true });
  }

  /** SIGKILL; resolves once the process is gone. */
  async kill(): Promise<void> {
    this.#isExpectedToEnd = true;
    this.#child.kill("SIGKILL");
    await this.exit;
  }

  /** SIGTERM. @throws Error when the process does not end with code 0. */
  async stop(): Promise<void> {
    await waitFor(() => this.#mutant !== undefined || !this.isRunning, {
      what: "a consumer to take signals",
      timeoutMs: 30_000,
    });
    this.beginStop();
    const { code, signal } = await this.exit;
    if (code !== 0)
      throw new Error(`A consumer that was told to stop ended with ${code ?? signal}`);
  }

  /** SIGTERM, without waiting. A second one would be the wish to end at once. */
  beginStop(): void {
    if (this.#isExpectedToEnd) return;
    this.#isExpectedToEnd = true;
    this.#child.kill("SIGTERM");
  }

  /** SIGSTOP: it keeps its connections and says nothing. */
  freeze(): void {
    this.#child.kill("SIGSTOP");
  }

  /** SIGCONT. */
  thaw(): void {
    this.#child.kill("SIGCONT");
  }

  /** What its series say that it is at. @throws Error when it does not answer. */
  async series(): Promise<string> {
    const answer = await fetch(`http://127.0.0.1:${this.#operationsPort}/metrics`, {
      signal: AbortSignal.timeout(SERIES_TIMEOUT_MS),
    });
    return ((await answer.text()).match(TELLING) ?? []).join("\n");
  }

  /** How often the group has given it partitions. */
  get assignments(): number {
    return this.log.join("").split(ASSIGNED).length - 1;
  }

  /** Resolves once the group has given it partitions more often than `before`. */
  async untilAssigned(before = 0): Promise<void> {
    await waitFor(() => !this.isRunning || this.assignments > before, {
      what: "the group to take a consumer in",
      timeoutMs: 30_000,
    });
  }

  /** Resolves once a stop has given up the ranges in hand. */
  async untilGivenUp(): Promise<void> {
    await waitFor(() => !this.isRunning || this.log.join("").includes(GIVEN_UP), {
      what: "a stop to give up the ranges in hand",
      timeoutMs: 30_000,
    });
  }

  #tell(message: object): void {
    // A process that is just going away needs to be told nothing any more.
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }
}
