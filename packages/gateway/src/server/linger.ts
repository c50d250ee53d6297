import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Clock } from "@push-reports/service-kit";

/** How long a connection stays open for its client to read the answer, ms. */
export const LINGER_MS = 1_000;
/** How much of a refused request is read, so that its client gets to reading the answer. */
export const MAX_DISCARDED_BYTES = 1_048_576;

/**
 * Ends a response that is written in full, and its connection, once its client has had time to read it, which begins when the answers
 * before it are out. Meanwhile nothing more of the request is read: its client meets a full buffer, and no reset.
 */
export function lingerThenEnd(req: IncomingMessage, res: ServerResponse, clock: Clock): void {
  req.pause();
  const over = new AbortController();
  const { socket } = req;
  socket.once("close", () => over.abort());
  whenInTurn(res, async () => {
    await clock.sleep(LINGER_MS, over.signal);
    res.end();
    socket.destroySoon();
  });
}

/**
 * Ends a response that is written in full, and its connection, once the rest of the request has arrived: closing before that would reset
 * the connection and lose the answer. A long rest is not waited for, nor one that is slow once the answers before this one are out.
 */
export function drainThenEnd(req: IncomingMessage, res: ServerResponse, clock: Clock): void {
  let bytes = 0;
  const over = new AbortController();
  const onData = (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= MAX_DISCARDED_BYTES) return;
    over.abort();
    req.off("data", onData);
    lingerThenEnd(req, res, clock);
  };
  req.on("data", onData);
  req.once("end", () => {
    over.abort();
    res.end();
  });
  req.once("close", () => over.abort());
  req.once("error", () => over.abort());
  whenInTurn(res, async () => {
    await clock.sleep(LINGER_MS, over.signal);
    if (over.signal.aborted) return;
    res.end();
    req.socket.destroySoon();
  });
}

/** Begins `work`, which never rejects, once the answers before this one are out: node:http gives a response its socket then. */
function whenInTurn(res: ServerResponse, work: () => Promise<void>): void {
  if (res.socket !== null) void work();
  else res.once("socket", () => void work());
}

/** Writes `answer` as the last bytes of a connection, and closes it once the client has, or had time to read. */
export function answerAndClose(socket: Socket, answer: string, clock: Clock): void {
  const over = new AbortController();
  socket.once("close", () => over.abort());
  socket.once("end", () => over.abort());
  socket.end(answer);
  void clock.sleep(LINGER_MS, over.signal).then(() => socket.destroy());
}
