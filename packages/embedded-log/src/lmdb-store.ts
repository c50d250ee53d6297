import { open as openFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { open, type RootDatabase } from "lmdb";
import { checkSpace, DataFile, type FoundData, findData } from "./data-file.js";
import { ignoreMissing } from "./ignore-missing.js";
import { LogError } from "./log-error.js";
import { EMPTY_STATE, encodeState } from "./log-state.js";
import { STATE_KEY } from "./store-keys.js";

/** What one transaction changes. */
export interface StoreChange {
  readonly puts: readonly (readonly [key: Buffer, value: Buffer])[];
  readonly removes: readonly Buffer[];
  readonly addsRecords: boolean;
}

/** Room for pages that a transaction replaces before it frees them. */
const SPARE_MAP_BYTES = 64 * 1024 * 1024;
/**
 * Written once the data file is there, before the first record: with it, a data file that is missing or empty was damaged. Without it, the
 * making of the log did not end, or the file was lost: what the data file holds decides.
 */
const FORMAT_FILE = "format";
const FORMAT = "push-reports embedded log, form 1\n";

/**
 * Keys and values in one LMDB file, one transaction after another.
 *
 * LMDB runs as its authors wrote it, without lmdb-js' `overlappingSync`: data pages, `fdatasync`, then the page that makes them valid
 * through a descriptor opened with O_DSYNC, and only then the promise. (With `overlappingSync` the promise is documented for the
 * commit, not for the disk; it was slower here too: 1,240 commits/s to 1,610.)
 */
export class LmdbStore {
  readonly #database: RootDatabase<Buffer, Buffer>;
  readonly #file: DataFile;

  private constructor(database: RootDatabase<Buffer, Buffer>, file: DataFile) {
    this.#database = database;
    this.#file = file;
  }

  /** @throws LogError "log_broken" */
  static async open(folder: string, maxBytes: number): Promise<LmdbStore> {
    try {
      const dataFile = join(folder, "data.mdb");
      const isMade = (await stat(join(folder, FORMAT_FILE)).catch(ignoreMissing)) !== null;
      const found = isMade ? "maybe records" : await findData(dataFile);
      if (found === "nothing") await clear(dataFile);
      const prepared = found === "nothing" ? null : await DataFile.prepare(dataFile);
      const database = openDatabase(folder, maxBytes);
      try {
        if (!isMade) await finishMaking(folder, database, found);
        return new LmdbStore(database, prepared ?? (await DataFile.prepare(dataFile)));
      } catch (error) {
        await database.close();
        throw error;
      }
    } catch (error) {
      throw new LogError("log_broken", `The log in ${folder} cannot be opened`, error);
    }
  }

  /** A copy of the value, or null. @throws LogError "log_broken" */
  get(key: Buffer): Buffer | null {
    return this.#reading(() => this.#database.getBinary(key) ?? null);
  }

  /** Up to `limit` keys from `start` to before `end`. @throws LogError "log_broken" */
  keys(start: Buffer, end: Buffer, limit: number): readonly Buffer[] {
    return this.#reading(() => [...this.#database.getKeys({ start, end, limit })]);
  }

  /** The highest key up to `start` that is not below `end`, or null. @throws LogError "log_broken" */
  lastKey(start: Buffer, end: Buffer): Buffer | null {
    return this.#reading(
      () => [...this.#database.getKeys({ start, end, limit: 1, reverse: true })][0] ?? null,
    );
  }

  /**
   * Makes sure of the disk's space for a change; must precede its commit. A change that adds records leaves space for one that frees some.
   * @throws LogError "log_broken" when the disk is full; the store stays usable.
   */
  async reserve(change: StoreChange): Promise<void> {
    try {
      await this.#file.reserve(bytesAtMost(change), change.addsRecords ? SPARE_BYTES : 0);
    } catch (error) {
      throw new LogError("log_broken", "The disk has no space for the log", error);
    }
  }

  /** Resolves once the change is fsynced, all of it or nothing. @throws LogError "log_broken": the store must be opened anew. */
  async commit(change: StoreChange): Promise<void> {
    try {
      await this.#database.batch(() => {
        for (const key of change.removes) void this.#database.remove(key);
        for (const [key, value] of change.puts) void this.#database.put(key, value);
      });
    } catch (error) {
      const cause = await causeOf(error);
      throw new LogError("log_broken", "The log could not be written", cause, "unknown");
    }
  }

  async close(): Promise<void> {
    await this.#database.close();
  }

  #reading<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw new LogError("log_broken", "The log could not be read", error);
    }
  }
}

/** Pages that a change can take besides its values: the tree's, and those that list free pages. */
const TREE_PAGES = 64;
const PAGE_BYTES = 4_096;
/** Space that only changes without records may use. */
const SPARE_BYTES = 4_194_304;

/** What a change can take on disk: each value on pages of its own, and a branch that leads to it. */
function bytesAtMost({ puts, removes }: StoreChange): number {
  const pages = TREE_PAGES + 2 * (puts.length + removes.length);
  return puts.reduce((bytes, [, value]) => bytes + value.length, pages * PAGE_BYTES);
}

function openDatabase(folder: string, maxBytes: number): RootDatabase<Buffer, Buffer> {
  return open<Buffer, Buffer>({
    path: folder,
    noSubdir: false,
    encoding: "binary",
    keyEncoding: "binary",
    overlappingSync: false,
    mapSize: 2 * maxBytes + SPARE_MAP_BYTES,
    maxDbs: 1,
  });
}

/** Removes a data file that holds nothing. */
async function clear(dataFile: string): Promise<void> {
  await rm(dataFile, { force: true });
  try {
    await checkSpace(dataFile);
  } finally {
    await rm(`${dataFile}.space`, { force: true });
  }
}

/**
 * Makes a new log of one without a state, unless its data file may hold records all the same: LMDB finds nothing where the pages that
 * lead to it are spoilt. With a state it is a log, whose records nobody may delete.
 * @throws LogError "log_broken"
 */
async function finishMaking(
  folder: string,
  database: RootDatabase<Buffer, Buffer>,
  found: FoundData,
): Promise<void> {
  if (database.getBinary(STATE_KEY) === undefined) {
    if (found === "maybe records")
      throw new LogError("log_broken", "The log's state and its format file are missing");
    // From here on a log without a state is a damaged one.
    await database.put(STATE_KEY, encodeState(EMPTY_STATE));
  }
  await markAsMade(folder);
}

/** Makes the new files' names durable too. */
async function markAsMade(folder: string): Promise<void> {
  await writeFile(join(folder, FORMAT_FILE), FORMAT, { flush: true });
  const handle = await openFile(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** lmdb-js rejects with an error whose `commitError` is a promise that rejects with the fault itself. */
async function causeOf(error: unknown): Promise<unknown> {
  const { commitError } = error as { readonly commitError?: Promise<unknown> };
  return commitError === undefined ? error : commitError.catch((cause: unknown) => cause);
}
