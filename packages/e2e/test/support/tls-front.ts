import { connect } from "node:net";
import { createServer } from "node:tls";
import { freePort } from "@push-reports/test-support";
import type { Certificate } from "./certificates.js";

/** What speaks TLS before a service that does not. */
export interface TlsFront {
  readonly url: string;
  close(): Promise<void>;
}

/** Ends TLS on a free port of 127.0.0.1 and passes the bytes on. */
export async function startTlsFront(target: string, { cert, key }: Certificate): Promise<TlsFront> {
  const { hostname, port: targetPort } = new URL(target);
  const port = await freePort();
  const server = createServer({ cert, key }, (client) => {
    const service = connect(Number(targetPort), hostname);
    client.pipe(service).pipe(client);
    // Either end may go at any time; then the other has to.
    client.on("error", () => service.destroy());
    service.on("error", () => client.destroy());
    client.on("close", () => service.destroy());
    service.on("close", () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    url: `https://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
      }),
  };
}
