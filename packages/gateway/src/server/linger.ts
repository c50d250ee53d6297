import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Clock } from "@push-reports/service-kit";

/** How long a connection stays open for its client to read the answer, ms. */
const LINGER_MS = 1_000;

/**
 * Ends a response that is written in full, and its connection, once the client has closed its side or had time to read.
 * Meanwhile nothing more of the request is read: its client meets a full buffer, and no reset.
 */
export function lingerThenEnd(req: IncomingMessage, res: ServerResponse, clock: Clock): void {
  req.pause();
  const over = new AbortController();
  const { socket } = req;
  socket.once("close", () => over.abort());
  void clock.sleep(LINGER_MS, over.signal).then(() => {
    res.end();
    socket.destroySoon();
  });
}

/** Writes `answer` as the last bytes of a connection, and closes it once the client has, or had time to read. */
export function answerAndClose(socket: Socket, answer: string, clock: Clock): void {
  const over = new AbortController();
  socket.once("close", () => over.abort());
  socket.once("end", () => over.abort());
  socket.end(answer);
  void clock.sleep(LINGER_MS, over.signal).then(() => socket.destroy());
}
