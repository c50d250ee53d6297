import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Registry } from "prom-client";
import type { Part } from "./lifecycle.js";

/** One answer about health; `reason` says why it is not well, `details` is for people. */
export interface Health {
  readonly ok: boolean;
  readonly reason?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** What a service says of itself. Neither call may block. */
export interface HealthSource {
  /** Whether restarting the process would not help. */
  live(): Health;
  /** Whether work should come here. */
  ready(): Health;
}

/** Serves `/livez`, `/readyz` (200 or 503, JSON) and `/metrics` on a port of its own. */
export class OperationsServer implements Part {
  readonly name = "operations-server";
  readonly #server: Server;
  readonly #port: number;
  readonly #host: string | undefined;

  /** @param at port 0 takes any free one; without a host it listens on every address. */
  constructor(
    at: { readonly port: number; readonly host?: string },
    health: HealthSource,
    registry: Registry,
  ) {
    this.#port = at.port;
    this.#host = at.host;
    this.#server = createServer({ requestTimeout: 10_000, headersTimeout: 5_000 }, (req, res) => {
      const path = (req.url ?? "").split("?")[0];
      if (path === "/livez") return answerHealth(res, health.live());
      if (path === "/readyz") return answerHealth(res, health.ready());
      if (path === "/metrics") return void answerMetrics(res, registry);
      return answer(res, 404, "text/plain", "Try /livez, /readyz or /metrics.\n");
    });
  }

  /** The port that it listens on, once started. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** @throws the listen error, e.g. EADDRINUSE. */
  async start(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ port: this.#port, ...(this.#host ? { host: this.#host } : {}) }, () => {
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

function answer(res: ServerResponse, status: number, type: string, body: string): void {
  res.writeHead(status, { "content-type": type, "cache-control": "no-store" }).end(body);
}

function answerHealth(res: ServerResponse, health: Health): void {
  const body = {
    status: health.ok ? "ok" : "unavailable",
    ...(health.reason === undefined ? {} : { reason: health.reason }),
    ...health.details,
  };
  answer(res, health.ok ? 200 : 503, "application/json", `${JSON.stringify(body)}\n`);
}

async function answerMetrics(res: ServerResponse, registry: Registry): Promise<void> {
  try {
    answer(res, 200, registry.contentType, await registry.metrics());
  } catch {
    answer(res, 500, "text/plain", "The metrics could not be collected.\n");
  }
}
