import { stat } from "node:fs/promises";
import { type Clock, type Logger, type Part, within } from "@push-reports/service-kit";
import type { Instances } from "./instances.js";
import { parseInstanceIds } from "./parse-instance-ids.js";
import { readRegularFile, UnfitFileError } from "./read-regular-file.js";

/** The list of instances cannot be used at the start. */
class InstanceFileError extends Error {
  override readonly name = "InstanceFileError";
  readonly code = "instance_file_unusable";
}

/** The file's disk gives no answer. */
class SlowFileError extends Error {
  override readonly name = "SlowFileError";
  readonly code = "no_answer_in_time";
}

/** How often the file is looked at, ms: a look is one `stat`. */
const LOOK_MS = 1_000;
/** Some 400,000 instances. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;
/** How long a file may keep a look waiting, ms. */
const MAX_LOOK_MS = 5_000;

/** What a look at the file found. */
type Look =
  | { readonly ok: true; readonly ids: ReadonlySet<string> }
  /** Only another content mends it, unless it `mayPass`. */
  | { readonly ok: false; readonly fault: string; readonly mayPass?: true };

/**
 * The instances that a file lists, one a line. It is read again when it has changed and has then stayed the same for a second, so
 * that a half-written file is not taken, and again at each look while reading fails. A file that cannot be used any more changes
 * nothing: the last list holds, and the log and the readiness page say so.
 */
export class InstanceFile implements Instances, Part {
  readonly name = "instance-file";
  readonly #path: string;
  readonly #fixed: Instances;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #readText: (path: string) => Promise<string>;
  readonly #stopped = new AbortController();
  #ids: ReadonlySet<string> = new Set();
  #problem: string | null = null;
  /** A look that is under way, or was given up and has not come back: another one would take another thread of the process's few. */
  #isLooking = false;

  /** @param fixed may report whatever the file says. @param readText gives a file's text. */
  constructor(
    path: string,
    fixed: Instances,
    clock: Clock,
    logger: Logger,
    readText = (from: string) => readRegularFile(from, MAX_FILE_BYTES),
  ) {
    this.#readText = readText;
    this.#path = path;
    this.#fixed = fixed;
    this.#clock = clock;
    this.#logger = logger;
  }

  has(instanceId: string): boolean {
    return this.#ids.has(instanceId) || this.#fixed.has(instanceId);
  }

  /** How many instances the file lists. */
  get size(): number {
    return this.#ids.size;
  }

  /** Why the file as it is now is not in use; null when it is. */
  get problem(): string | null {
    return this.#problem;
  }

  /** @throws InstanceFileError when the file cannot be used. */
  async start(): Promise<void> {
    const version = await this.#version();
    const look = await this.#read();
    if (!look.ok)
      throw new InstanceFileError(
        `INSTANCE_IDS_FILE (${this.#path}) cannot be used: ${look.fault}. It lists one instance id a line.`,
      );
    this.#ids = look.ids;
    this.#logger.info("instances_loaded", { instances: this.size });
    void this.#watch(version);
  }

  /** Does not wait for a look that is under way: the file may never answer it. */
  async stop(): Promise<void> {
    this.#stopped.abort();
  }

  async #watch(startVersion: string): Promise<void> {
    let used = startVersion;
    let seen = startVersion;
    let mayPass = false;
    while (!this.#stopped.signal.aborted) {
      await this.#clock.sleep(LOOK_MS, this.#stopped.signal);
      const version = await this.#version();
      // After a fault that passes, the file may be back as it was.
      if ((version !== used || mayPass) && version === seen) {
        const look = await this.#read();
        if (this.#stopped.signal.aborted) return;
        this.#use(look);
        mayPass = !look.ok && look.mayPass === true;
        if (!mayPass) used = version;
      }
      seen = version;
    }
  }

  #use(look: Look): void {
    if (!look.ok) {
      if (look.fault === this.#problem) return;
      this.#problem = look.fault;
      this.#logger.error("instance_file_unusable", { fault: look.fault, instances: this.size });
      return;
    }
    this.#problem = null;
    this.#ids = look.ids;
    this.#logger.info("instances_loaded", { instances: this.size });
  }

  async #read(): Promise<Look> {
    try {
      return await parseInstanceIds(await this.#inTime(() => this.#readText(this.#path)));
    } catch (error) {
      if (error instanceof UnfitFileError) return { ok: false, fault: error.message };
      return { ok: false, fault: `it cannot be read (${codeOf(error)})`, mayPass: true };
    }
  }

  /** Differs from what it was before whenever the file, or what a link leads to, has changed. */
  async #version(): Promise<string> {
    try {
      const { ino, size, mtimeMs, ctimeMs } = await this.#inTime(() => stat(this.#path));
      return `${ino} ${size} ${mtimeMs} ${ctimeMs}`;
    } catch (error) {
      return codeOf(error);
    }
  }

  /** @throws SlowFileError, or what `look` throws. */
  async #inTime<T>(look: () => Promise<T>): Promise<T> {
    if (this.#isLooking) throw new SlowFileError();
    this.#isLooking = true;
    const looking = look().finally(() => {
      this.#isLooking = false;
    });
    const end = await within(looking, MAX_LOOK_MS, this.#clock);
    if (end.kind === "resolved") return end.value;
    throw end.kind === "late" ? new SlowFileError() : end.error;
  }
}

const codeOf = (error: unknown) => String((error as { readonly code?: unknown }).code ?? "unknown");
