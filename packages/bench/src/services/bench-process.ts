import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { waitFor } from "@push-reports/test-support";

/** What is measured, as it is built, and its peers. */
const PROGRAMS = {
  gateway: "gateway/dist/main.js",
  consumer: "consumer/dist/main.js",
  migrate: "consumer/dist/migrate.js",
  standalone: "standalone/dist/main.js",
  "bare node:http": "bench/dist/bare-server-main.js",
  "the plain way": "bench/dist/plain-gateway-main.js",
  "kafkajs discarding": "bench/dist/discard-main.js",
} as const;

/** Name of a program. */
export type Program = keyof typeof PROGRAMS;

const READY_MS = 60_000;
const LOOK_EVERY_MS = 20;
const STOP_MS = 20_000;

/** A process that is measured. It sees no variable of this one's environment but the path and its own. */
export class BenchProcess {
  readonly #program: Program;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #output = "";

  /** @param nodeOptions come before the program's path, e.g. `--cpu-prof`. */
  constructor(
    program: Program,
    environment: Readonly<Record<string, string>>,
    nodeOptions: readonly string[] = [],
  ) {
    this.#program = program;
    const main = fileURLToPath(new URL(`../../../${PROGRAMS[program]}`, import.meta.url));
    this.#child = spawn(process.execPath, [...nodeOptions, main], {
      env: { PATH: process.env["PATH"] ?? "", ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on("data", (chunk: Buffer) => {
        this.#output = (this.#output + chunk.toString()).slice(-20_000);
      });
    this.#ended = once(this.#child, "close");
  }

  get pid(): number {
    const { pid } = this.#child;
    if (pid === undefined) throw new Error(`${this.#program} could not be started`);
    return pid;
  }

  /** The last it has written. */
  get output(): string {
    return this.#output;
  }

  /** Resolves once it has written a line that says it is ready. */
  async untilItSaysReady(): Promise<this> {
    return await this.#until(() => this.#output.includes("ready\n"));
  }

  /** Resolves once `/readyz` of this operations port answers 200. */
  async untilReady(operationsPort: number): Promise<this> {
    const url = `http://127.0.0.1:${operationsPort}/readyz`;
    return await this.#until(async () => (await fetch(url)).ok);
  }

  /** Resolves with the exit code. */
  async untilEnded(): Promise<number | null> {
    await this.#ended;
    return this.#child.exitCode;
  }

  /** Asks it to stop, and insists when it does not. */
  async stop(): Promise<void> {
    this.#child.kill("SIGTERM");
    const insisting = setTimeout(() => this.#child.kill("SIGKILL"), STOP_MS);
    await this.#ended;
    clearTimeout(insisting);
  }

  async #until(isReady: () => boolean | Promise<boolean>): Promise<this> {
    const isGone = () => this.#child.exitCode !== null || this.#child.signalCode !== null;
    await waitFor(async () => isGone() || (await isReady()), {
      what: `${this.#program} to be ready`,
      timeoutMs: READY_MS,
      intervalMs: LOOK_EVERY_MS,
    }).catch((cause: unknown) => {
      throw new Error(`${this.#program} wrote:\n${this.#output}`, { cause });
    });
    if (isGone()) throw new Error(`${this.#program} ended:\n${this.#output}`);
    return this;
  }
}
