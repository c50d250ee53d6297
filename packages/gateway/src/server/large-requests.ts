import type { IncomingMessage } from "node:http";
import { BODY_FAULT, type BodyFault } from "../read-body.js";

/** What a request may take in memory without being watched, bytes: some three times what an SDK's takes. */
const SMALL_REQUEST_BYTES = 8_192;
/** What node:http makes of a header besides its characters, for each name and each value, estimated, bytes. */
const HEADER_PART_BYTES = 64;
const EVICTED: BodyFault = "busy";
const NO_HEADERS = Object.freeze({});

/** Requests, and the memory that they take together, estimated, bytes. */
class Crowd {
  readonly #requests = new Map<IncomingMessage, number>();
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** Those that came first come first. */
  all(): IterableIterator<IncomingMessage> {
    return this.#requests.keys();
  }

  add(req: IncomingMessage, bytes: number): void {
    this.#requests.set(req, bytes);
    this.#bytes += bytes;
  }

  /** @returns what it takes; 0 when it was not among them. */
  remove(req: IncomingMessage): number {
    const bytes = this.#requests.get(req) ?? 0;
    this.#requests.delete(req);
    this.#bytes -= bytes;
    return bytes;
  }
}

/**
 * Bounds the memory of unusually large requests from the end of their head until their answer, so that many slow ones do not fill it. Past
 * the bound the one that has been arriving for the longest is answered 503: slow clients give way to good ones, which are small.
 */
export class LargeRequests {
  readonly #maxBytes: number;
  readonly #arriving = new Crowd();
  /** On their way to their answer: these give way to nobody. */
  readonly #arrived = new Crowd();

  /** @param maxBytes of all of them; more than the largest one takes. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * A request has come whose body may have so many bytes. Unless it is refused, its body must be read from now on, and it must have
   * {@link arrived} and {@link leave}.
   * @returns whether there is room for it.
   */
  enter(req: IncomingMessage, maxBodyBytes: number): boolean {
    const bytes = headBytes(req) + bodyBytes(req, maxBodyBytes);
    if (bytes <= SMALL_REQUEST_BYTES) return true;
    const roomBytes = this.#maxBytes - this.#arrived.bytes - bytes;
    if (roomBytes < 0) return false;
    for (const other of this.#arriving.all()) {
      if (this.#arriving.bytes <= roomBytes) break;
      this.#arriving.remove(other);
      other.emit(BODY_FAULT, EVICTED);
    }
    this.#arriving.add(req, bytes);
    return true;
  }

  /** Its body is read to its end. */
  arrived(req: IncomingMessage): void {
    const bytes = this.#arriving.remove(req);
    if (bytes > 0) this.#arrived.add(req, bytes);
  }

  /** It is answered. */
  leave(req: IncomingMessage): void {
    this.#arrived.remove(req);
  }
}

/** Frees the memory of a head that nobody looks at any more, although its request is not over. */
export function forgetHead(req: IncomingMessage): void {
  req.rawHeaders.length = 0;
  req.headers = NO_HEADERS;
  req.url = "";
  // What Express keeps of the target.
  if ("originalUrl" in req) Object.assign(req, { originalUrl: "", _parsedUrl: null, params: {} });
}

function headBytes({ rawHeaders, url }: IncomingMessage): number {
  let bytes = (url?.length ?? 0) + rawHeaders.length * HEADER_PART_BYTES;
  for (const part of rawHeaders) bytes += part.length;
  return bytes;
}

/** Of a body whose length is not told, the most there may be. */
function bodyBytes({ headers }: IncomingMessage, maxBytes: number): number {
  const told = headers["content-length"];
  return told === undefined ? maxBytes : Math.min(Number(told), maxBytes);
}
