import type { IncomingMessage } from "node:http";
import { BodyBytes } from "./body-bytes.js";
import { inflateBody } from "./inflate-body.js";
import { MAX_DISCARDED_BYTES } from "./server/linger.js";

/** Emitted on a request whose body cannot be read to its end although its client still listens. */
export const BODY_FAULT = Symbol("bodyFault");
/** What {@link BODY_FAULT} says. */
export type BodyFault = "unreadable_request" | "request_timeout" | "stopping" | "busy";

/** What came of reading a body. */
export type ReadBody =
  | { readonly kind: "read"; readonly bytes: Buffer }
  /** Too large, or compressed in a way that cannot be undone. `hasEnded` says whether all of it has arrived. */
  | { readonly kind: "refused"; readonly hasEnded: boolean }
  | { readonly kind: "faulty"; readonly code: BodyFault }
  /** The client is gone; nobody reads an answer. */
  | { readonly kind: "aborted" };

/** Reads a body of at most `maxBytes`, compressed and inflated. Of a larger one it discards a bounded rest. Never rejects. */
export function readBody(req: IncomingMessage, maxBytes: number): Promise<ReadBody> {
  return new Promise((resolve) => {
    const body = new BodyBytes(maxBytes);
    let bytes = 0;
    const settle = (result: ReadBody) => {
      req.off("data", onData).off("end", onEnd).off("error", onGone).off("close", onGone);
      req.off(BODY_FAULT, onFault);
      // Whatever still happens to this request is no news.
      req.on("error", ignore);
      resolve(result);
    };
    const onData = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= maxBytes) body.add(chunk);
      else if (bytes > maxBytes + MAX_DISCARDED_BYTES) settle({ kind: "refused", hasEnded: false });
    };
    const onEnd = () => {
      if (bytes > maxBytes) return settle({ kind: "refused", hasEnded: true });
      const inflated = inflateBody(body.whole(), req.headers["content-encoding"], maxBytes);
      settle(
        inflated === null ? { kind: "refused", hasEnded: true } : { kind: "read", bytes: inflated },
      );
    };
    const onGone = () => settle({ kind: "aborted" });
    const onFault = (code: BodyFault) => settle({ kind: "faulty", code });
    req.on("data", onData).on("end", onEnd).on("error", onGone).on("close", onGone);
    req.on(BODY_FAULT, onFault);
  });
}

function ignore(): void {}
