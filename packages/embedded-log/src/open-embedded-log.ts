import { mkdir } from "node:fs/promises";
import { checkStore } from "./check-store.js";
import type { EmbeddedLog } from "./embedded-log.js";
import { FolderLock } from "./folder-lock.js";
import { LmdbEmbeddedLog } from "./lmdb-embedded-log.js";
import { LmdbStore } from "./lmdb-store.js";
import { LogError } from "./log-error.js";

/** Where a log lives and how large it may grow. */
export interface EmbeddedLogOptions {
  /** Folder of the log's files; made when it is not there. A local file system: one that knows sockets and `mmap`. */
  readonly path: string;
  /** Bytes that the records may take on disk, at least 65,536. The files may be up to twice as large, and keep their size. */
  readonly maxBytes: number;
  /** Bytes of records that may wait for the disk. @default 8 MiB */
  readonly maxWaitingBytes?: number;
}

const DEFAULT_MAX_WAITING_BYTES = 8 * 1024 * 1024;

/**
 * Opens a folder's log, or makes an empty one.
 * @throws LogError "log_locked" when another process has it open, "log_broken" when its files are damaged or out of reach.
 */
export async function openEmbeddedLog(options: EmbeddedLogOptions): Promise<EmbeddedLog> {
  const { path, maxBytes, maxWaitingBytes = DEFAULT_MAX_WAITING_BYTES } = options;
  await mkdir(path, { recursive: true }).catch((error: unknown) => {
    throw new LogError("log_broken", `The folder ${path} cannot be made`, error);
  });
  const lock = await FolderLock.take(path);
  let store: LmdbStore | null = null;
  try {
    const openStore = () => LmdbStore.open(path, maxBytes);
    store = await openStore();
    const state = await checkStore(store);
    const now = () => performance.now();
    return new LmdbEmbeddedLog({ maxBytes, maxWaitingBytes, lock, openStore, now }, store, state);
  } catch (error) {
    await store?.close().catch(() => undefined);
    await lock.release();
    throw error;
  }
}
