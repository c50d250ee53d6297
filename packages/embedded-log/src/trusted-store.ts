import { checkStore } from "./check-store.js";
import type { LmdbStore } from "./lmdb-store.js";
import { LogError } from "./log-error.js";
import type { LogState } from "./log-state.js";

/** How a store is opened, and when. */
export interface TrustedStoreParts {
  readonly openStore: () => Promise<LmdbStore>;
  /** Milliseconds of any clock that does not go back. */
  readonly now: () => number;
}

/** After a fault the files are opened again at most this often. */
const REOPEN_AFTER_MS = 1_000;

/** A store for as long as it is believed: what fails in use is given up, and its files are opened and read again. */
export class TrustedStore {
  readonly #parts: TrustedStoreParts;
  #store: LmdbStore | null;
  #fault: LogError | null = null;
  #reopenAt = 0;

  /** @param store checked. */
  constructor(parts: TrustedStoreParts, store: LmdbStore) {
    this.#parts = parts;
    this.#store = store;
  }

  /** Null while it is given up. */
  get store(): LmdbStore | null {
    return this.#store;
  }

  /** What went wrong last, until {@link heal}. */
  get fault(): LogError | null {
    return this.#fault;
  }

  /** A fault after which the store is still believed. */
  note(error: unknown): LogError {
    this.#fault = faultOf(error);
    return this.#fault;
  }

  /** It has proved that it can do what it could not. */
  heal(): void {
    this.#fault = null;
  }

  /**
   * Opens the files again.
   * @param onChecked hears what they say, right before the store is there.
   * @throws LogError like the last fault, while that is too recent; whatever opening or checking throws. It leaves nothing behind.
   */
  async reopen(onChecked: (state: LogState) => void): Promise<LmdbStore> {
    if (this.#fault !== null && this.#parts.now() < this.#reopenAt) {
      const { code, message, cause } = this.#fault;
      throw new LogError(code, message, cause);
    }
    let store: LmdbStore | null = null;
    try {
      store = await this.#parts.openStore();
      onChecked(await checkStore(store));
      this.#store = store;
      return store;
    } catch (error) {
      await this.#giveUp(store, error);
      throw error;
    }
  }

  /** @throws what `use` threw, once the store is given up. */
  async distrusting<T>(store: LmdbStore, use: () => T | Promise<T>): Promise<T> {
    try {
      return await use();
    } catch (error) {
      await this.#giveUp(store, error);
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#store?.close();
  }

  async #giveUp(store: LmdbStore | null, error: unknown): Promise<void> {
    this.note(error);
    this.#reopenAt = this.#parts.now() + REOPEN_AFTER_MS;
    this.#store = null;
    await store?.close().catch(() => undefined);
  }
}

function faultOf(error: unknown): LogError {
  return error instanceof LogError ? error : new LogError("log_broken", "The log failed", error);
}
