import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { waitFor } from "@push-reports/test-support";

/** The programs of this repository, as they are built. */
const PROGRAMS = {
  gateway: "gateway/dist/main.js",
  drain: "gateway/dist/drain-main.js",
  consumer: "consumer/dist/main.js",
  canary: "canary/dist/main.js",
  migrate: "consumer/dist/migrate.js",
  standalone: "standalone/dist/main.js",
  /** Standalone, which kills itself at CRASH_AT_STEP. */
  "crashing-standalone": "e2e/test/fixtures/crashing-standalone.mjs",
  /** Standalone, whose ingestion has the database at one long statement. */
  "busy-standalone": "e2e/test/fixtures/busy-standalone.mjs",
} as const;

/** Name of a program. */
export type Program = keyof typeof PROGRAMS;

/** How a process ended and what it had said. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A real process of a program. It sees no variable of the test's own environment but the path. */
export class ServiceProcess {
  readonly #program: Program;
  readonly #child: ChildProcess;
  readonly #environment: Readonly<Record<string, string>>;
  /** Resolves when the process is gone. */
  readonly ended: Promise<Ended>;
  #stdout = "";
  #stderr = "";

  /** @param wrapper a command that runs the rest of its arguments, e.g. `["strace", "-D"]`; signals go to what it starts as its own process. */
  constructor(
    program: Program,
    environment: Readonly<Record<string, string>>,
    wrapper: readonly string[] = [],
    programArgs: readonly string[] = [],
  ) {
    this.#program = program;
    this.#environment = environment;
    const main = fileURLToPath(new URL(`../../../${PROGRAMS[program]}`, import.meta.url));
    const path = { PATH: process.env["PATH"] ?? "" };
    const [command = "", ...args] = [...wrapper, process.execPath, main, ...programArgs];
    const child = spawn(command, args, {
      // The page of a standalone takes any free port, unless a test is about it.
      env: { ...path, INSIGHTS_PORT: "0", ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    child.stdout.on("data", (chunk: Buffer) => {
      this.#stdout += chunk.toString();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      this.#stderr += chunk.toString();
    });
    this.#child = child;
    this.ended = once(child, "close").then(([code, signal]) => ({
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
      stdout: this.#stdout,
      stderr: this.#stderr,
    }));
  }

  /** What it has written for people so far. */
  get stdout(): string {
    return this.#stdout;
  }

  /** Resolves once `/readyz` answers 200. @throws Error with the process's output when it ends or stays unready. */
  async untilReady(): Promise<this> {
    const url = `http://127.0.0.1:${this.#environment["OPERATIONS_PORT"]}/readyz`;
    await waitFor(async () => this.#isGone() || (await fetch(url)).ok, {
      what: `${this.#program} to be ready`,
      timeoutMs: 30_000,
    }).catch((cause: unknown) => {
      throw new Error(`${this.#program} wrote:\n${this.#stdout}${this.#stderr}`, { cause });
    });
    if (this.#isGone()) throw new Error(`${this.#program} ended:\n${this.#stdout}${this.#stderr}`);
    return this;
  }

  /** What `/readyz` says. */
  async readiness(): Promise<Readonly<Record<string, unknown>>> {
    const url = `http://127.0.0.1:${this.#environment["OPERATIONS_PORT"]}/readyz`;
    return (await (await fetch(url)).json()) as Readonly<Record<string, unknown>>;
  }

  /** Sends a signal and waits for the end. */
  async end(signal: "SIGTERM" | "SIGKILL"): Promise<Ended> {
    this.#child.kill(signal);
    return this.ended;
  }

  #isGone(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }
}
