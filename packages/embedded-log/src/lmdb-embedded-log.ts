import { setImmediate as nextTurn } from "node:timers/promises";
import { recordBytes } from "./chunk.js";
import { composeCommit } from "./compose-commit.js";
import type { EmbeddedLog, LogEntry, LogRecord, ReadLimits } from "./embedded-log.js";
import type { FolderLock } from "./folder-lock.js";
import type { LmdbStore } from "./lmdb-store.js";
import { LogError } from "./log-error.js";
import type { LogState } from "./log-state.js";
import { readEntries } from "./read-entries.js";
import {
  CHUNKS_START,
  type ChunkKey,
  decodeChunkKey,
  highestKeyUpTo,
  markKey,
} from "./store-keys.js";
import { TrustedStore, type TrustedStoreParts } from "./trusted-store.js";
import { type TakenChanges, WaitingChanges } from "./waiting-changes.js";

/** What a log is made of. */
export interface LmdbEmbeddedLogParts extends TrustedStoreParts {
  readonly maxBytes: number;
  readonly maxWaitingBytes: number;
  readonly lock: FolderLock;
}

/** Bytes of records in one transaction: more would delay the first of them without gain. */
const MAX_COMMIT_BYTES = 4_194_304;
/** Chunks that one transaction removes at most, so that appends never wait long behind a trim. */
const MAX_REMOVED_CHUNKS = 256;
/** What a chunk takes besides its records, counted for each record since a commit may hold only one. */
const CHUNK_FRAME_BYTES = 17;
const MAX_MARK_NAME_BYTES = 64;
const MAX_MARK_BYTES = 16_384;

/**
 * The log over LMDB. One transaction is under way at a time, and what arrives meanwhile is the next one: group commit without a timer.
 * After a failed transaction nothing in memory is believed: the files are opened and read again.
 */
export class LmdbEmbeddedLog implements EmbeddedLog {
  readonly #parts: LmdbEmbeddedLogParts;
  readonly #listeners = new Set<() => void>();
  readonly #waiting = new WaitingChanges();
  readonly #trusted: TrustedStore;
  #state: LogState;
  /** The lowest offset that may be read; ahead of the state's until that is committed. */
  #trimmedTo: number;
  #committingBytes = 0;
  #committing: Promise<void> | null = null;
  #closing: Promise<void> | null = null;

  /** @param state what the store says, checked. */
  constructor(parts: LmdbEmbeddedLogParts, store: LmdbStore, state: LogState) {
    this.#parts = parts;
    this.#trusted = new TrustedStore(parts, store);
    this.#state = state;
    this.#trimmedTo = state.firstOffset;
  }

  get firstOffset(): number {
    return this.#trimmedTo;
  }

  get nextOffset(): number {
    return this.#state.nextOffset;
  }

  get bytes(): number {
    return this.#state.bytes;
  }

  get waitingBytes(): number {
    return this.#waiting.recordsBytes + this.#committingBytes;
  }

  isHealthy(): boolean {
    return this.#trusted.fault === null;
  }

  append(record: LogRecord): Promise<number> {
    const bytes = recordBytes(record) + CHUNK_FRAME_BYTES;
    const fault = this.#refusal(bytes);
    if (fault !== null) return Promise.reject(fault);
    return new Promise((resolve, reject) => {
      this.#waiting.addRecord({ record, bytes, resolve, reject });
      this.#commitSoon();
    });
  }

  read(fromOffset: number, limits: ReadLimits): readonly LogEntry[] {
    const from = Math.max(fromOffset, this.firstOffset);
    return readEntries(this.#openedStore(), { from, end: this.nextOffset }, limits);
  }

  trim(beforeOffset: number): Promise<void> {
    if (this.#closing !== null) return Promise.reject(closed());
    if (beforeOffset > this.nextOffset)
      return Promise.reject(new RangeError(`The log ends at ${this.nextOffset}: ${beforeOffset}`));
    this.#trimmedTo = Math.max(this.#trimmedTo, beforeOffset);
    return new Promise((resolve, reject) => {
      this.#waiting.addTrim({ beforeOffset, resolve, reject });
      this.#commitSoon();
    });
  }

  mark(name: string): string | null {
    return this.#openedStore().get(markKey(name))?.toString("utf8") ?? null;
  }

  setMark(name: string, value: string): Promise<void> {
    if (this.#closing !== null) return Promise.reject(closed());
    if (Buffer.byteLength(name) > MAX_MARK_NAME_BYTES || Buffer.byteLength(value) > MAX_MARK_BYTES)
      return Promise.reject(new RangeError(`The mark ${name} is too long`));
    return new Promise((resolve, reject) => {
      this.#waiting.addMark({ name, value, resolve, reject });
      this.#commitSoon();
    });
  }

  onAppend(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): Promise<void> {
    this.#closing ??= (async () => {
      await this.#committing;
      await this.#trusted.close();
      await this.#parts.lock.release();
    })();
    return this.#closing;
  }

  #refusal(bytes: number): LogError | null {
    const { maxBytes, maxWaitingBytes } = this.#parts;
    if (this.#closing !== null) return closed();
    if (this.#state.bytes + this.waitingBytes + bytes > maxBytes)
      return new LogError("log_full", `The log holds ${this.#state.bytes} of ${maxBytes} bytes`);
    if (this.waitingBytes + bytes > maxWaitingBytes)
      return new LogError("log_overloaded", `${this.waitingBytes} bytes wait for the disk`);
    return null;
  }

  #openedStore(): LmdbStore {
    if (this.#closing !== null) throw closed();
    const { store, fault } = this.#trusted;
    if (store === null) throw fault ?? closed();
    return store;
  }

  /** Lets the rest of this turn join the commit. */
  #commitSoon(): void {
    this.#committing ??= nextTurn().then(() => this.#commitAll());
  }

  async #commitAll(): Promise<void> {
    while (!this.#waiting.isEmpty()) {
      const taken = this.#waiting.take(MAX_COMMIT_BYTES);
      this.#committingBytes = taken.records.reduce((sum, { bytes }) => sum + bytes, 0);
      try {
        await this.#commit(taken);
      } catch (error) {
        this.#committingBytes = 0;
        for (const waiter of [...taken.records, ...taken.marks, ...taken.trims])
          waiter.reject(error);
      }
    }
    // In the same turn as the check: what comes from now on starts a loop of its own.
    this.#committing = null;
  }

  async #commit(taken: TakenChanges): Promise<void> {
    const store = this.#trusted.store ?? (await this.#reopen());
    const { records, marks } = taken;
    const first = this.#state.nextOffset;
    const removed = await this.#trusted.distrusting(store, () => this.#removable(store));
    const parts = { records, marks, trimmedTo: this.#trimmedTo, removed };
    const { change, state } = composeCommit(this.#state, parts);
    try {
      await store.reserve(change);
    } catch (error) {
      return await this.#commitWithoutRecords(taken, this.#trusted.note(error));
    }
    await this.#trusted.distrusting(store, () => store.commit(change));
    this.#state = state;
    this.#committingBytes = 0;
    records.forEach(({ resolve }, index) => {
      resolve(first + index);
    });
    for (const { resolve } of marks) resolve();
    if (removed.length === MAX_REMOVED_CHUNKS) this.#waiting.keepTrims(taken.trims);
    else for (const { resolve } of taken.trims) resolve();
    if (records.length === 0) return;
    this.#trusted.heal();
    for (const listener of this.#listeners) listener();
  }

  /** On a full disk marks and trims still find space, or nothing would ever free some. */
  async #commitWithoutRecords(taken: TakenChanges, fault: LogError): Promise<void> {
    if (taken.records.length === 0) throw fault;
    this.#committingBytes = 0;
    for (const { reject } of taken.records) reject(fault);
    if (taken.marks.length + taken.trims.length > 0) await this.#commit({ ...taken, records: [] });
  }

  #removable(store: LmdbStore): readonly ChunkKey[] {
    if (this.#state.bytes === 0) return [];
    return store
      .keys(CHUNKS_START, highestKeyUpTo(this.#trimmedTo), MAX_REMOVED_CHUNKS)
      .map(decodeChunkKey)
      .filter((key) => key !== null)
      .filter(({ firstOffset, count }) => firstOffset + count <= this.#trimmedTo);
  }

  async #reopen(): Promise<LmdbStore> {
    return await this.#trusted.reopen((state) => {
      this.#state = state;
      this.#trimmedTo = Math.max(this.#trimmedTo, state.firstOffset);
    });
  }
}

function closed(): LogError {
  return new LogError("log_closed", "The log is closed");
}
