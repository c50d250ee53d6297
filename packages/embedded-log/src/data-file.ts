import { type FileHandle, open, readFile, stat } from "node:fs/promises";
import { ignoreMissing } from "./ignore-missing.js";
import { LogError } from "./log-error.js";

/** Where LMDB's two descriptions of its file lie in their pages, on 64-bit little-endian machines. */
const META_BYTES = 168;
const FLAGS_AT = 18;
const MAGIC_AT = 24;
const VERSION_AT = 28;
const PAGE_BYTES_AT = 48;
const LAST_PAGE_AT = 144;
const META_FLAG = 0x08;
const MAGIC = 0xbeefc0de;
const VERSION = 2;
const PAGE_BYTES = [4_096, 8_192, 16_384, 32_768, 65_536];
/** Space is reserved in steps of this size. */
const RESERVE_BYTES = 8_388_608;
const ZEROS = Buffer.alloc(1_048_576);

/**
 * LMDB's file, seen from outside. LMDB and lmdb-js do not survive some faults of it: opening a file with damaged descriptions ends
 * the process (SIGSEGV), so does touching a page behind a truncated file's end (SIGBUS), and a failed write overruns a buffer (a
 * 100-byte `malloc` for a longer message, mdb.c 0.9.90). So the descriptions are checked first, a short file is
 * lengthened by a hole whose zeros the log's checks recognise, and LMDB only ever writes where space was reserved.
 */
export class DataFile {
  readonly #path: string;
  /** Bytes of the file that have space on the disk. */
  #reservedBytes = 0;
  /** Bytes that LMDB may have used by now. */
  #usedBytes = 0;

  private constructor(path: string) {
    this.#path = path;
  }

  /**
   * Makes a file ready for LMDB to open; a file that LMDB is to make must find space for it.
   * @throws LogError "log_broken" when the file is damaged or gone; the system's error when the disk is full.
   */
  static async prepare(path: string): Promise<DataFile> {
    if ((await stat(path).catch(ignoreMissing)) === null)
      throw new LogError("log_broken", `${path} is gone`);
    const file = new DataFile(path);
    await file.#open((handle) => file.#check(handle));
    return file;
  }

  /** Makes space for a change of at most `bytes`, and keeps `spareBytes` behind it. @throws the system's error when the disk is full. */
  async reserve(bytes: number, spareBytes: number): Promise<void> {
    if (this.#usedBytes + bytes + spareBytes > this.#reservedBytes)
      await this.#open((handle) => this.#extend(handle, bytes + spareBytes));
    this.#usedBytes += bytes;
  }

  async #check(handle: FileHandle): Promise<void> {
    const { size } = await handle.stat();
    const { pageBytes, lastPage } = await readMetas(handle, this.#path);
    this.#usedBytes = (lastPage + 1) * pageBytes;
    // The pages at the end may be free, so that a file may be shorter without damage.
    if (size < this.#usedBytes) await handle.truncate(this.#usedBytes);
    this.#reservedBytes = size;
  }

  async #extend(handle: FileHandle, bytes: number): Promise<void> {
    const { pageBytes, lastPage } = await readMetas(handle, this.#path);
    this.#usedBytes = (lastPage + 1) * pageBytes;
    const wanted = this.#usedBytes + bytes;
    if (wanted <= this.#reservedBytes) return;
    const end = Math.ceil(wanted / RESERVE_BYTES) * RESERVE_BYTES;
    await writeZeros(handle, Math.max(this.#reservedBytes, this.#usedBytes), end);
    this.#reservedBytes = end;
  }

  async #open(use: (handle: FileHandle) => Promise<void>): Promise<void> {
    const handle = await open(this.#path, "r+");
    try {
      await use(handle);
    } finally {
      await handle.close();
    }
  }
}

/** What a data file of a log holds whose making is not known to have ended. */
export type FoundData =
  /** No file, or one of zeros into which no change was ever written. */
  | "nothing"
  /** LMDB's own pages at most: the first change reserves {@link RESERVE_BYTES}. */
  | "no records"
  | "maybe records";

/** Looks what a data file holds, without LMDB. @throws the system's error when it cannot be read. */
export async function findData(path: string): Promise<FoundData> {
  const found = await stat(path).catch(ignoreMissing);
  if (found === null) return "nothing";
  if (found.size >= RESERVE_BYTES) return "maybe records";
  return (await readFile(path)).some((byte) => byte !== 0) ? "no records" : "nothing";
}

/** Resolves when the disk has space for a new log beside `path`. @throws the system's error when it has not. */
export async function checkSpace(path: string): Promise<void> {
  const handle = await open(`${path}.space`, "w");
  try {
    await writeZeros(handle, 0, ZEROS.length);
  } finally {
    await handle.close();
  }
}

async function writeZeros(handle: FileHandle, from: number, end: number): Promise<void> {
  let at = from;
  while (at < end)
    at += (await handle.write(ZEROS, 0, Math.min(ZEROS.length, end - at), at)).bytesWritten;
  await handle.datasync();
}

async function readMetas(
  handle: FileHandle,
  path: string,
): Promise<{ readonly pageBytes: number; readonly lastPage: number }> {
  const first = await readMeta(handle, 0);
  const second = first && (await readMeta(handle, first.pageBytes));
  if (!first || !second || first.pageBytes !== second.pageBytes)
    throw new LogError("log_broken", `${path} is damaged at its beginning`);
  return {
    pageBytes: first.pageBytes,
    lastPage: Math.max(first.lastPage, second.lastPage),
  };
}

async function readMeta(
  handle: FileHandle,
  at: number,
): Promise<{ readonly pageBytes: number; readonly lastPage: number } | null> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(META_BYTES), 0, META_BYTES, at);
  const pageBytes = buffer.readUInt32LE(PAGE_BYTES_AT);
  const isMeta =
    bytesRead === META_BYTES &&
    (buffer.readUInt16LE(FLAGS_AT) & META_FLAG) !== 0 &&
    buffer.readUInt32LE(MAGIC_AT) === MAGIC &&
    buffer.readUInt16LE(VERSION_AT) === VERSION &&
    PAGE_BYTES.includes(pageBytes);
  return isMeta ? { pageBytes, lastPage: Number(buffer.readBigUInt64LE(LAST_PAGE_AT)) } : null;
}
