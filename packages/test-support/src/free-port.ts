import { createServer } from "node:net";

/** Below what systems give connections (Linux: from 32768 on, macOS: from 49152 on) and Kubernetes its node ports (from 30000 on). */
const FIRST_PORT = 12_000;
/** Each worker of a run has ports of its own. */
const [WORKERS, PORTS_EACH] = [18, 1_000];

const start = FIRST_PORT + (Number(process.env["JEST_WORKER_ID"] ?? 1) % WORKERS) * PORTS_EACH;
/** The test files of a worker, and other runs, begin somewhere else. */
let next = Math.floor(Math.random() * PORTS_EACH);

/**
 * A TCP port that nothing listens on, and that no connection is given meanwhile.
 * @throws Error when none of the worker's ports is free.
 */
export async function freePort(): Promise<number> {
  for (let tried = 0; tried < PORTS_EACH; tried += 1) {
    const port = start + next;
    next = (next + 1) % PORTS_EACH;
    if (await isFree(port)) return port;
  }
  throw new Error(`None of the ports from ${start} to ${start + PORTS_EACH - 1} is free`);
}

/** On every address of the machine. */
async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const isListening = await new Promise<boolean>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      error.code === "EADDRINUSE" || error.code === "EACCES" ? resolve(false) : reject(error),
    );
    server.listen(port, () => resolve(true));
  });
  if (isListening) await new Promise<void>((resolve) => server.close(() => resolve()));
  return isListening;
}
