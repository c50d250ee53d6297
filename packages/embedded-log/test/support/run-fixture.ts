import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A program of test/fixtures in a process of its own, run on the package as it was built. */
export class Fixture {
  readonly process: ChildProcessWithoutNullStreams;
  readonly #ended: Promise<unknown>;
  readonly #lines: AsyncIterator<string>;

  private constructor(process: ChildProcessWithoutNullStreams) {
    this.process = process;
    this.#ended = once(process, "close");
    this.#lines = createInterface({ input: process.stdout })[Symbol.asyncIterator]();
    process.stderr.resume();
  }

  /** @param wrapper a command that runs the rest of its arguments, e.g. `["strace", "-f"]`. */
  static start(name: string, args: readonly string[], wrapper: readonly string[] = []): Fixture {
    const program = fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
    const [command = "", ...rest] = [...wrapper, process.execPath, program, ...args];
    return new Fixture(spawn(command, rest));
  }

  /** The next line of its output, or null at the end. */
  async nextLine(): Promise<string | null> {
    const { value, done } = await this.#lines.next();
    return done ? null : value;
  }

  /** Up to `count` lines. */
  async lines(count = Number.POSITIVE_INFINITY): Promise<readonly string[]> {
    const lines: string[] = [];
    while (lines.length < count) {
      const line = await this.nextLine();
      if (line === null) break;
      lines.push(line);
    }
    return lines;
  }

  /** Kills it and resolves once it has ended. */
  async kill(): Promise<void> {
    this.process.kill("SIGKILL");
    await this.#ended;
  }

  /** Its exit code or the signal that ended it. */
  async end(): Promise<number | string | null> {
    await this.#ended;
    return this.process.exitCode ?? this.process.signalCode;
  }
}
