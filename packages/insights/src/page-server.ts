import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Part } from "@push-reports/service-kit";
import type { Express } from "express";

/** Serves the page. */
export class PageServer implements Part {
  readonly name = "insights";
  readonly #server: Server;
  readonly #at: { readonly port: number; readonly host: string };

  /** @param at port 0 takes any free one. */
  constructor(app: Express, at: { readonly port: number; readonly host: string }) {
    this.#server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000 }, app);
    this.#server.maxConnections = 1_000;
    this.#at = at;
  }

  /** The port that it listens on, once started. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** @throws the listen error, e.g. EADDRINUSE. */
  async start(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(this.#at, () => {
        this.#server.off("error", reject);
        resolve();
      });
    });
  }

  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }
}
