import type { Socket } from "node:net";
import type { Clock } from "@push-reports/service-kit";
import { answerAndClose, LINGER_MS, MAX_DISCARDED_BYTES } from "./linger.js";

/**
 * Answers the first request on a connection that nobody else reads, without looking at it, and closes the connection. One that sends
 * nothing gets the answer all the same after a short time, since its request may be on the way.
 */
export function turnAway(
  socket: Socket,
  { answer, onRequest }: { readonly answer: string; readonly onRequest: () => void },
  clock: Clock,
): void {
  const answered = new AbortController();
  const answerOnce = () => {
    if (answered.signal.aborted) return;
    answered.abort();
    answerAndClose(socket, answer, clock);
  };
  let bytes = 0;
  socket.on("data", (chunk: Buffer) => {
    if (bytes === 0) onRequest();
    bytes += chunk.length;
    answerOnce();
    // More than a bounded rest is not read: the client meets a full buffer.
    if (bytes > MAX_DISCARDED_BYTES) socket.pause();
  });
  socket.once("end", answerOnce);
  socket.once("close", () => answered.abort());
  // Whoever leaves before the answer is no news.
  socket.on("error", () => {});
  void clock.sleep(LINGER_MS, answered.signal).then(answerOnce);
}
