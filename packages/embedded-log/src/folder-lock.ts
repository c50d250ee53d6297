import { mkdir, mkdtemp, realpath, rm, rmdir, stat, symlink, unlink } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { ignoreMissing } from "./ignore-missing.js";
import { LogError } from "./log-error.js";

/**
 * The longest path of a local socket that every system takes, bytes: `sun_path` has 104 on macOS and 108 on Linux (unix(7)), the last one
 * a zero. Node.js 20 cuts off what is longer, without a word.
 */
const LONGEST_SOCKET_PATH = 103;
const SOCKET_NAME = "lock.socket";
/** Taking the lock takes a moment; a guard this old was left by a process that died in between. */
const STALE_GUARD_MS = 10_000;

/**
 * Sole ownership of a folder, which ends with the process however it ends: a local socket in the folder that its owner listens on.
 * What a dead owner left behind answers no more and is replaced.
 */
export class FolderLock {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @throws LogError "log_locked" when a process owns the folder, "log_broken" when the folder takes no socket. */
  static async take(folder: string): Promise<FolderLock> {
    const guard = join(folder, "lock.guard");
    await makeGuard(guard, folder);
    try {
      return await withShortPath(join(await realpath(folder), SOCKET_NAME), async (socket) => {
        if (await answers(socket)) throw locked(folder);
        await unlink(socket).catch(ignoreMissing);
        return new FolderLock(await listen(socket));
      });
    } catch (error) {
      if (error instanceof LogError) throw error;
      throw new LogError("log_broken", `${folder} cannot be locked`, error);
    } finally {
      await rmdir(guard);
    }
  }

  async release(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

/**
 * Calls `use` with a path of the socket that is short enough: itself, or one through a link to its folder that is there for the moment. The
 * socket is in the folder either way, so that it is the same for everyone, whatever folder they have for temporary files.
 */
async function withShortPath<T>(socket: string, use: (socket: string) => Promise<T>): Promise<T> {
  if (Buffer.byteLength(socket) <= LONGEST_SOCKET_PATH) return await use(socket);
  const passing = await mkdtemp(join(tmpdir(), "lock-"));
  try {
    const link = join(passing, "l");
    await symlink(dirname(socket), link);
    return await use(join(link, basename(socket)));
  } finally {
    await rm(passing, { recursive: true });
  }
}

/** Keeps two processes from replacing a dead owner's socket at the same moment. */
async function makeGuard(guard: string, folder: string): Promise<void> {
  const failure = await mkdir(guard).then(
    () => null,
    (error: unknown) => error,
  );
  if (failure === null) return;
  if (codeOf(failure) !== "EEXIST")
    throw new LogError("log_broken", `${folder} cannot be locked`, failure);
  const age = await stat(guard).then(
    ({ mtimeMs }) => Date.now() - mtimeMs,
    () => 0,
  );
  if (age < STALE_GUARD_MS) throw locked(folder);
  await rmdir(guard).catch(ignoreMissing);
  if ((await mkdir(guard).catch(codeOf)) !== undefined) throw locked(folder);
}

function answers(socket: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const connection = connect(socket);
    connection.once("connect", () => {
      connection.destroy();
      resolve(true);
    });
    connection.once("error", (error) => {
      const code = codeOf(error);
      // A listener with a full backlog (EAGAIN) is alive.
      if (code === "EAGAIN") resolve(true);
      else if (code === "ENOENT" || code === "ECONNREFUSED" || code === "ENOTSOCK") resolve(false);
      else reject(error);
    });
  });
}

function listen(socket: string): Promise<Server> {
  const server = createServer((connection) => connection.destroy());
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(socket, () => {
      server.off("error", reject);
      server.unref();
      resolve(server);
    });
  });
}

function locked(folder: string): LogError {
  return new LogError("log_locked", `Another process is using ${folder}`);
}

function codeOf(error: unknown): string {
  return (error as { code?: string }).code ?? String(error);
}
