import { setImmediate as nextTurn } from "node:timers/promises";
import {
  type EmbeddedLog,
  type LogEntry,
  LogError,
  type LogRecord,
  type ReadLimits,
} from "@push-reports/embedded-log";

/** A log on a disk that fails one commit, or some: as after any failed commit, it can then not be read until something is committed again. */
export class FaultyLog implements EmbeddedLog {
  readonly #log: EmbeddedLog;
  #trimmedTo = 0;
  /** Commits until the one that fails. */
  #goodCommits = Number.POSITIVE_INFINITY;
  /** Commits that fail then. */
  #badCommits = 0;
  /** The commit that the calls of this turn share. */
  #commit: { readonly isGood: boolean; readonly over: Promise<void> } | null = null;
  #isGivenUp = false;

  constructor(log: EmbeddedLog) {
    this.#log = log;
  }

  get firstOffset(): number {
    return Math.max(this.#trimmedTo, this.#log.firstOffset);
  }

  get nextOffset(): number {
    return this.#log.nextOffset;
  }

  get bytes(): number {
    return this.#log.bytes;
  }

  get waitingBytes(): number {
    return this.#log.waitingBytes;
  }

  /** Fails commits, after so many good ones. */
  failAfter(goodCommits: number, badCommits = 1): void {
    this.#goodCommits = goodCommits;
    this.#badCommits = badCommits;
  }

  isHealthy(): boolean {
    return !this.#isGivenUp;
  }

  async append(record: LogRecord): Promise<number> {
    return await this.#committing(() => this.#log.append(record));
  }

  read(fromOffset: number, limits: ReadLimits): readonly LogEntry[] {
    if (this.#isGivenUp) throw fault();
    return this.#log.read(Math.max(fromOffset, this.firstOffset), limits);
  }

  async trim(beforeOffset: number): Promise<void> {
    this.#trimmedTo = Math.max(this.#trimmedTo, beforeOffset);
    await this.#committing(() => this.#log.trim(beforeOffset));
  }

  mark(name: string): string | null {
    if (this.#isGivenUp) throw fault();
    return this.#log.mark(name);
  }

  async setMark(name: string, value: string): Promise<void> {
    await this.#committing(() => this.#log.setMark(name, value));
  }

  onAppend(listener: () => void): () => void {
    return this.#log.onAppend(listener);
  }

  async close(): Promise<void> {
    await this.#log.close();
  }

  async #committing<T>(change: () => Promise<T>): Promise<T> {
    this.#commit ??= this.#begin();
    const { isGood, over } = this.#commit;
    if (isGood) return await change();
    await over;
    throw fault();
  }

  #begin(): { readonly isGood: boolean; readonly over: Promise<void> } {
    const isGood = this.#goodCommits > 0;
    if (isGood) {
      this.#goodCommits -= 1;
      this.#isGivenUp = false;
    } else {
      this.#badCommits -= 1;
      if (this.#badCommits === 0) this.#goodCommits = Number.POSITIVE_INFINITY;
    }
    const over = nextTurn().then(() => {
      this.#commit = null;
      if (!isGood) this.#isGivenUp = true;
    });
    return { isGood, over };
  }
}

function fault(): LogError {
  const cause = Object.assign(new Error("The disk failed"), { code: "EIO" });
  return new LogError("log_broken", "The log could not be written", cause, "unknown");
}
