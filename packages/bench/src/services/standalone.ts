import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "@push-reports/test-support";
import type { BenchProcess } from "./bench-process.js";
import type { Lab, RunningServer } from "./lab.js";

/** Standalone on a folder and on ports of its own. */
export class Standalone {
  readonly #lab: Lab;
  readonly #ports: { readonly http: number; readonly operations: number; readonly sql: number };
  readonly #folder = mkdtempSync(join(tmpdir(), "push-reports-bench-"));
  #process: BenchProcess | undefined;

  private constructor(lab: Lab, ports: { http: number; operations: number; sql: number }) {
    this.#lab = lab;
    this.#ports = ports;
  }

  /** Chooses folder and ports; starts nothing yet. */
  static async create(lab: Lab): Promise<Standalone> {
    const ports = { http: await freePort(), operations: await freePort(), sql: await freePort() };
    return new Standalone(lab, ports);
  }

  /** Starts it. @returns how long that took until it said it is ready, ms. */
  async start(): Promise<number> {
    const beganAt = performance.now();
    this.#process = this.#lab.run("standalone", {
      DATA_DIR: this.#folder,
      HTTP_PORT: String(this.#ports.http),
      OPERATIONS_PORT: String(this.#ports.operations),
      SQL_PORT: String(this.#ports.sql),
      INSIGHTS_PORT: "0",
      SHUTDOWN_DELAY_MS: "0",
    });
    await this.#process.untilReady(this.#ports.operations);
    return performance.now() - beganAt;
  }

  /** Where it takes reports. @throws Error when it does not run. */
  get server(): RunningServer {
    if (this.#process === undefined) throw new Error("Standalone has not been started");
    return { port: this.#ports.http, process: this.#process };
  }

  /** The answer of a statement, without the last line break. @throws Error with the database's text. */
  async ask(sql: string): Promise<string> {
    const answer = await fetch(`http://127.0.0.1:${this.#ports.sql}/`, {
      method: "POST",
      body: sql,
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(text);
    return text.trimEnd();
  }

  async stop(): Promise<void> {
    await this.#process?.stop();
  }

  /** Stops it and removes its folder. */
  async dispose(): Promise<void> {
    await this.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
