import type { IncomingMessage } from "node:http";
import { BODY_FAULT, type BodyFault } from "../read-body.js";

/** What a request may take in memory without being watched, bytes: some three times what an SDK's takes. */
const SMALL_REQUEST_BYTES = 8_192;
/** What node:http makes of a header besides its characters, for each name and each value, estimated. */
const HEADER_PART_BYTES = 64;
const EVICTED: BodyFault = "busy";
const NO_HEADERS = Object.freeze({});

/**
 * Bounds the memory of unusually large requests from the end of their head until their answer, so that many slow ones do not fill it. Past
 * the bound the one that has been arriving for the longest is answered 503: slow clients give way to good ones, which are small.
 */
export class LargeRequests {
  readonly #maxBytes: number;
  /** In order of arrival. */
  readonly #requests = new Map<IncomingMessage, number>();
  #bytes = 0;

  /** @param maxBytes of all of them. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Memory that they take now, estimated. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * A request has come whose body may have so many bytes, and must {@link leave}, unless it is refused.
   * @returns whether there is room for it.
   */
  enter(req: IncomingMessage, maxBodyBytes: number): boolean {
    const bytes = headBytes(req) + bodyBytes(req, maxBodyBytes);
    if (bytes <= SMALL_REQUEST_BYTES) return true;
    for (const [other] of this.#requests) {
      if (this.#bytes + bytes <= this.#maxBytes) break;
      // One that has arrived in full is on its way to its answer; nobody listens.
      if (other.emit(BODY_FAULT, EVICTED)) this.leave(other);
    }
    if (this.#bytes + bytes > this.#maxBytes) return false;
    this.#requests.set(req, bytes);
    this.#bytes += bytes;
    return true;
  }

  /** Ends what {@link enter} began; does nothing for a request that it has forgotten. */
  leave(req: IncomingMessage): void {
    const bytes = this.#requests.get(req);
    if (bytes === undefined) return;
    this.#requests.delete(req);
    this.#bytes -= bytes;
  }
}

/** Frees the memory of a head that nobody looks at any more, although its request is not over. */
export function forgetHead(req: IncomingMessage): void {
  req.rawHeaders.length = 0;
  req.headers = NO_HEADERS;
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
