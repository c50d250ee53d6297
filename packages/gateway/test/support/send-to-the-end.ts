import { connect } from "node:net";
import { patiently } from "@push-reports/test-support";
import type { MalformedRequest } from "./malformed-requests.js";

/** Longer than any request may take to arrive and to be answered, ms. */
const QUIET_MS = patiently(4_000);

/**
 * Sends a request and gives all that comes back until the server has closed. A client that does not close its side at once does so when
 * something comes, so that nothing further is awaited.
 * @throws Error when the connection is reset, or the server is silent and does not close it.
 */
export function sendToTheEnd(
  port: number,
  { bytes, closesItsSide }: MalformedRequest,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    const fail = (why: string) => {
      socket.destroy();
      reject(
        new Error(
          `${why} after ${JSON.stringify(text)} to ${JSON.stringify(bytes.toString("latin1"))}`,
        ),
      );
    };
    let text = "";
    socket.setTimeout(QUIET_MS, () => fail("Silence"));
    socket.on("error", ({ message }) => fail(message));
    socket.on("data", (data) => {
      text += data.toString("latin1");
      socket.end();
    });
    socket.on("end", () => {
      socket.destroy();
      resolve(text);
    });
    socket.write(bytes);
    if (closesItsSide) socket.end();
  });
}
