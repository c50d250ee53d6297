import {
  createServer,
  IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
  ServerResponse,
} from "node:http";
import type { Express } from "express";

/**
 * Makes the HTTP server of an Express app, some five times as fast as `app.listen`.
 *
 * Express 5 calls `Object.setPrototypeOf` on every request and response, to give them the methods of `app.request` and
 * `app.response`. Changing the prototype of a live object makes V8 throw away what it has learnt of its shape, which costs three
 * quarters of the throughput. Here the server makes its objects with these prototypes from the start, so that the call
 * changes nothing. To a handler all is as in any Express app.
 *
 * test/unit/fast-server.test.ts fails when an Express upgrade breaks this.
 * @param listener gets the requests, and hands them to the app.
 */
export function createFastServer(
  app: Express,
  options: ServerOptions,
  listener: RequestListener = app,
): Server {
  class FastRequest extends IncomingMessage {}
  class FastResponse extends ServerResponse {}
  Object.setPrototypeOf(FastRequest.prototype, app.request);
  Object.setPrototypeOf(FastResponse.prototype, app.response);
  app.request = FastRequest.prototype as Express["request"];
  app.response = FastResponse.prototype as Express["response"];
  return createServer(
    { ...options, IncomingMessage: FastRequest, ServerResponse: FastResponse },
    listener,
  );
}
