import { readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import {
  type EmbeddedLog,
  type EmbeddedLogOptions,
  isDamage,
  LogError,
  type LogRecord,
} from "@push-reports/embedded-log";
import type { Clock, Logger } from "@push-reports/service-kit";

/** Where the spill lives and how large it may grow. */
export interface SpillStoreOptions {
  /** Holds the folder `log`, and a folder `damaged-…` for each log that was set aside. */
  readonly folder: string;
  readonly maxBytes: number;
  /** Bytes of records that may wait for the disk. */
  readonly maxWaitingBytes: number;
  /** Opens a log that may be damaged in any way. @throws LogError */
  readonly openLog: (options: EmbeddedLogOptions) => Promise<EmbeddedLog>;
}

/** Another process uses the folder. */
class SpillInUseError extends Error {
  override readonly name = "SpillInUseError";
  readonly code = "spill_in_use";

  constructor(folder: string, cause: unknown) {
    const remedy = "Give each gateway a SPILL_DIR of its own, or stop the other one.";
    super(`Another process uses the spill in ${folder}. ${remedy}`, { cause });
  }
}

/** How long a start waits for a predecessor to leave the folder, ms. Longer than a lock that a killed process left half-made counts. */
const LOCK_WAIT_MS = 12_000;
const LOCK_RETRY_MS = 250;
/** How often a folder that cannot be used is tried again, ms. */
const REOPEN_MS = 2_000;
/** Logs that may lie aside: a disk that damages one after another must not be filled with them. */
const MAX_SET_ASIDE = 3;
const SET_ASIDE_PREFIX = "damaged-";

/** Where a spill keeps its log, once a gateway has used it. */
export const logFolderOf = (folder: string): string => join(folder, "log");

/**
 * The spill's log, or none while its folder cannot be used: then the gateway runs as one without a spill. A damaged log is set aside as a
 * whole and a new one begun, so that nothing that was answered 200 is deleted and reports are taken again.
 */
export class SpillStore {
  readonly #options: SpillStoreOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #stopped = new AbortController();
  readonly #listeners = new Set<() => void>();
  #log: EmbeddedLog | null = null;
  #setAside = 0;
  #mending: Promise<void> | null = null;
  #isFaulty = false;

  constructor(options: SpillStoreOptions, clock: Clock, logger: Logger) {
    this.#options = options;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Null while the folder cannot be used. */
  get log(): EmbeddedLog | null {
    return this.#log;
  }

  /** Bytes of records that the log may hold. */
  get maxBytes(): number {
    return this.#options.maxBytes;
  }

  /** Damaged logs that lie aside and wait for people. */
  get setAsideCount(): number {
    return this.#setAside;
  }

  /** Opens the folder's log; a folder that cannot be used is tried again later. @throws SpillInUseError */
  async open(): Promise<void> {
    const giveUpAt = this.#clock.now() + LOCK_WAIT_MS;
    for (;;) {
      try {
        return this.#use(await this.#openOrSetAside());
      } catch (error) {
        if (!isLocked(error)) return this.#mendLater(error);
        if (this.#clock.now() >= giveUpAt) throw new SpillInUseError(this.#options.folder, error);
        await this.#clock.sleep(LOCK_RETRY_MS);
      }
    }
  }

  /** Resolves once the record is fsynced. @throws LogError */
  async append(record: LogRecord): Promise<void> {
    const log = this.#log;
    if (log === null) throw new LogError("log_broken", "The spill's folder cannot be used");
    try {
      await log.append(record);
    } catch (error) {
      this.failed(log, error);
      throw error;
    }
  }

  /** Takes note of what the use of `log` threw: a damaged one is replaced; anything else passes, and the log tries again by itself. */
  failed(log: EmbeddedLog, error: unknown): void {
    if (log !== this.#log || !(error instanceof LogError) || !isDamage(error)) return;
    this.#log = null;
    this.#mending ??= this.#replace(log).finally(() => {
      this.#mending = null;
    });
  }

  /** Calls back when there is another log, or none any more, and when records came. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  async close(): Promise<void> {
    this.#stopped.abort();
    await this.#mending;
    const log = this.#log;
    this.#log = null;
    await log?.close();
  }

  async #replace(damaged: EmbeddedLog): Promise<void> {
    this.#notify();
    await damaged.close().catch(() => undefined);
    await this.#openAgain();
  }

  #mendLater(error: unknown): void {
    this.#complain(error);
    this.#mending ??= this.#clock
      .sleep(REOPEN_MS, this.#stopped.signal)
      .then(() => this.#openAgain())
      .finally(() => {
        this.#mending = null;
      });
  }

  async #openAgain(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      try {
        return this.#use(await this.#openOrSetAside());
      } catch (error) {
        this.#complain(error);
        await this.#clock.sleep(REOPEN_MS, this.#stopped.signal);
      }
    }
  }

  async #openOrSetAside(): Promise<EmbeddedLog> {
    const { folder, maxBytes, maxWaitingBytes, openLog } = this.#options;
    const options = { path: logFolderOf(folder), maxBytes, maxWaitingBytes };
    this.#setAside = await countSetAside(folder);
    try {
      return await openLog(options);
    } catch (error) {
      if (!(error instanceof LogError) || !isDamage(error)) throw error;
      await this.#setAsideLog(error);
      return await openLog(options);
    }
  }

  async #setAsideLog(damage: LogError): Promise<void> {
    const { folder } = this.#options;
    if (this.#setAside >= MAX_SET_ASIDE)
      throw new LogError(
        "log_broken",
        `${this.#setAside} damaged logs lie in ${folder} already: look at the disk, then move them elsewhere`,
        damage,
      );
    const stamp = new Date(this.#clock.now()).toISOString().replaceAll(/[-:.]/g, "");
    const path = join(folder, `${SET_ASIDE_PREFIX}${stamp}`);
    await rename(logFolderOf(folder), path);
    this.#setAside += 1;
    this.#logger.error("spill_set_aside", {
      path,
      error: damage,
      remedy:
        "The spill was damaged. Its files were kept at this path, and a new spill was begun. Reports in them were answered 200 and may not be on Kafka: " +
        "keep the folder, look at the disk, and see docs/architecture.md, 'A damaged spill'.",
    });
  }

  #use(log: EmbeddedLog): void {
    if (this.#isFaulty) this.#logger.info("spill_usable_again", { folder: this.#options.folder });
    this.#isFaulty = false;
    this.#log = log;
    log.onAppend(() => this.#notify());
    this.#notify();
  }

  #complain(error: unknown): void {
    if (this.#isFaulty) return;
    this.#isFaulty = true;
    this.#logger.error("spill_unusable", {
      folder: this.#options.folder,
      error,
      remedy:
        "Reports that Kafka cannot take are answered 503 until the folder can be written: look at its permissions, its disk and the space on it.",
    });
  }

  #notify(): void {
    for (const listener of this.#listeners) listener();
  }
}

function isLocked(error: unknown): boolean {
  return error instanceof LogError && error.code === "log_locked";
}

async function countSetAside(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => [] as string[]);
  return names.filter((name) => name.startsWith(SET_ASIDE_PREFIX)).length;
}
