let waiting: (() => void)[] = [];

/**
 * Does `work`, which does not throw, once the sockets that this turn of the event loop found ready have been read.
 *
 * A client that is answered while they are read can ask again before they all have been. libuv goes on reading as long as it finds
 * 1,024 of them ready, up to 48 times (`uv__io_poll`), so that timers and batches would wait for up to 49,000 answers. Answered here, a
 * connection has one request in a turn.
 */
export function atEndOfTurn(work: () => void): void {
  waiting.push(work);
  if (waiting.length > 1) return;
  setImmediate(() => {
    const due = waiting;
    waiting = [];
    for (const one of due) one();
  });
}
