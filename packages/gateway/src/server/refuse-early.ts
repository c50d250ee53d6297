import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { Clock } from "@push-reports/service-kit";
import type { Accounting } from "../accounting.js";
import type { Admission } from "../admission.js";
import { type FaultCode, writeFault } from "../error-responses.js";
import { forgetHead } from "./large-requests.js";
import { drainThenEnd, MAX_DISCARDED_BYTES } from "./linger.js";

/** How every SDK spells the reporting path. Whatever is spelt otherwise is refused a little later, at a higher cost. */
const USUAL_PATH = /^\/reporting_api\/v2\/instances\/[0-9A-Fa-f-]{36}\/events$/;

/**
 * Refuses reports before Express sees them as long as none is admitted, and those on connections that are too many: under overload most requests end here, and each
 * costs a fraction of what an accepted one does.
 */
export function refuseEarly(
  next: RequestListener,
  parts: {
    readonly admission: Pick<Admission, "isFull">;
    /** Whether its connection is one more than may be open. */
    readonly isExcess: (req: IncomingMessage) => boolean;
    readonly accounting: Accounting;
    readonly clock: Clock;
  },
): RequestListener {
  const { admission, isExcess, accounting, clock } = parts;
  return (req, res) => {
    if (!(admission.isFull || isExcess(req))) return next(req, res);
    if (req.method !== "POST" || !USUAL_PATH.test(req.url ?? "")) return next(req, res);
    accounting.received();
    accounting.ended("busy");
    answerUnread(req, res, "busy", clock);
  };
}

/**
 * Answers a request of which only the head was read, once the sockets that this turn of the event loop found ready have been read. What is
 * left of it is thrown away, and no more than a bounded rest is read.
 *
 * A client that is answered while they are read can ask again before they all have been. libuv goes on reading as long as it finds
 * 1,024 of them ready, up to 48 times (`uv__io_poll`), so that timers and batches would wait for up to 49,000 answers.
 */
export function answerUnread(
  req: IncomingMessage,
  res: ServerResponse,
  code: FaultCode,
  clock: Clock,
): void {
  setImmediate(() => {
    if (!req.socket.destroyed) writeUnread(req, res, code, clock);
  });
}

function writeUnread(
  req: IncomingMessage,
  res: ServerResponse,
  code: FaultCode,
  clock: Clock,
): void {
  const { status, headers, body } = writeFault({ code });
  const bodyBytes = Number(req.headers["content-length"]);
  forgetHead(req);
  if (res.shouldKeepAlive && bodyBytes <= MAX_DISCARDED_BYTES) {
    res.writeHead(status, headers);
    // Sent with the head in one write: node:http would make two of them, which costs a third of a refusal. Texts are ASCII.
    (res as unknown as { _header: string })._header += body;
    res.end();
    return;
  }
  res.shouldKeepAlive = false;
  res.writeHead(status, headers);
  res.write(body);
  drainThenEnd(req, res, clock);
}
