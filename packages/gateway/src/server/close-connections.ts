import type { Server } from "node:http";
import type { Duplex } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { type Clock, within } from "@push-reports/service-kit";
import { BODY_FAULT, type BodyFault } from "../read-body.js";
import type { Connection, OpenConnections } from "./open-connections.js";

/** How long a body that has begun may still take to arrive, ms. */
export const BODY_REST_MS = 1_000;
const STOPPING: BodyFault = "stopping";

/**
 * Takes no more connections, and ends those that are open: at once where no request waits for an answer, after the answer where
 * one does. A body that has not arrived after {@link BODY_REST_MS} is answered 503. From `close()` on, node:http looks after no
 * timeouts any more, so every wait here has its end.
 * @param maxMs after which whatever is still open is cut. Resolves when nothing is.
 */
export async function closeConnections(
  server: Server,
  connections: OpenConnections,
  maxMs: number,
  clock: Clock,
): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const over = within(closed, maxMs, clock);
  // What has arrived already is read first.
  await nextTurn();
  for (const [socket, connection] of connections.all()) endAfterAnswer(socket, connection);
  await within(closed, Math.min(BODY_REST_MS, maxMs / 2), clock);
  for (const [, { current }] of connections.all())
    if (current !== null && !current.complete) current.emit(BODY_FAULT, STOPPING);
  await over;
  for (const [socket] of connections.all()) socket.destroy();
  await closed;
}

function endAfterAnswer(socket: Duplex, { lastResponse }: Connection): void {
  // Its last answer is out, and it closes by itself once its client has had time to read that.
  if (socket.writableEnded) return;
  if (lastResponse === null || lastResponse.writableFinished) return void destroySoon(socket);
  lastResponse.shouldKeepAlive = false;
  lastResponse.once("finish", () => destroySoon(socket));
}

/** Lets what was written leave first. */
function destroySoon(socket: Duplex): void {
  if (socket.writableFinished) socket.destroy();
  else socket.end(() => socket.destroy());
}
