import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { waitFor } from "@push-reports/test-support";

/** The programs of this repository, as they are built. */
const PROGRAMS = {
  gateway: "gateway/dist/main.js",
  consumer: "consumer/dist/main.js",
  migrate: "consumer/dist/migrate.js",
  standalone: "standalone/dist/main.js",
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

  constructor(program: Program, environment: Readonly<Record<string, string>>) {
    this.#program = program;
    this.#environment = environment;
    const main = fileURLToPath(new URL(`../../../${PROGRAMS[program]}`, import.meta.url));
    const path = { PATH: process.env["PATH"] ?? "" };
    const child = spawn(process.execPath, [main], {
      env: { ...path, ...environment },
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

  /** Sends a signal and waits for the end. */
  async end(signal: "SIGTERM" | "SIGKILL"): Promise<Ended> {
    this.#child.kill(signal);
    return this.ended;
  }

  #isGone(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }
}
