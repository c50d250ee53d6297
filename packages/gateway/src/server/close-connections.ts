import type { Server } from "node:http";
import { Server as NetServer } from "node:net";
import type { Duplex } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { type Clock, within } from "@push-reports/service-kit";
import { BODY_FAULT, type BodyFault } from "../read-body.js";
import type { Connection, OpenConnections } from "./open-connections.js";

/** How long what is half sent, or on its way, may still take to arrive, ms. */
export const ARRIVAL_MS = 1_000;
/** How often node:http looks for heads and requests that are late, ms: at least once in this part of {@link ARRIVAL_MS}. */
export const LATENESS_CHECK_MS = 500;
/** How long connections may be accepted that the kernel has completed already, ms. */
const MAX_ACCEPT_MS = 250;
const STOPPING: BodyFault = "stopping";

/**
 * Takes no more connections, and ends those that are open: after the answer where a request waits for one, and where none has come by
 * then, after {@link ARRIVAL_MS}. What is half sent by then is answered 503. A request that the kernel has is read in any case: to close
 * its connection unread would reset it.
 *
 * The close of node:http is not called before the end, since it would close idle connections at once, and look after no timeouts any more.
 * @param maxMs after which whatever is still open is cut. Resolves when nothing is.
 */
export async function closeConnections(
  server: Server,
  connections: OpenConnections,
  maxMs: number,
  clock: Clock,
): Promise<void> {
  const closed = new Promise<void>((resolve) => server.once("close", () => resolve()));
  const over = within(closed, maxMs, clock);
  const headsAreLate = within(closed, ARRIVAL_MS - LATENESS_CHECK_MS, clock);
  await acceptWaiting(connections, clock);
  NetServer.prototype.close.call(server);
  for (const [socket, connection] of connections.all()) endAfterAnswer(socket, connection);
  await headsAreLate;
  // Only its parser knows of the head of a next request; ConnectionFaults hears of it.
  server.headersTimeout = 1;
  await within(closed, LATENESS_CHECK_MS, clock);
  await readWaiting();
  for (const [socket, connection] of connections.all()) endUnlessAnswering(socket, connection);
  await over;
  for (const [socket] of connections.all()) socket.destroy();
  await closed;
  server.close();
}

/** Accepts the connections that the kernel holds, one each turn of the event loop at the least, and reads what has arrived on any. */
async function acceptWaiting(connections: OpenConnections, clock: Clock): Promise<void> {
  const done = new AbortController();
  let isOver = false;
  void clock.sleep(MAX_ACCEPT_MS, done.signal).then(() => {
    isOver = true;
  });
  let before: number;
  do {
    before = connections.accepted;
    await readWaiting();
  } while (connections.accepted > before && !isOver);
  done.abort();
}

/** The turn that has begun may be past its sockets; the next one is not. */
async function readWaiting(): Promise<void> {
  await nextTurn();
  await nextTurn();
}

/** Has the answer that is awaited end its connection, unless another request comes before it is out. */
function endAfterAnswer(socket: Duplex, connection: Connection): void {
  const { lastResponse } = connection;
  if (lastResponse === null || lastResponse.writableFinished) return;
  lastResponse.shouldKeepAlive = false;
  lastResponse.once("finish", () => {
    if (connection.lastResponse === null) endSoon(socket);
  });
}

function endUnlessAnswering(socket: Duplex, { current, lastResponse }: Connection): void {
  if (current !== null && !current.complete) current.emit(BODY_FAULT, STOPPING);
  if (lastResponse === null || lastResponse.writableFinished) endSoon(socket);
}

/** Lets what was written leave first. */
function endSoon(socket: Duplex): void {
  // Its last answer is out, and it closes by itself once its client has had time to read that.
  if (socket.writableEnded) return;
  if (socket.writableFinished) socket.destroy();
  else socket.end(() => socket.destroy());
}
