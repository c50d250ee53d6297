import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Clock, Part } from "@push-reports/service-kit";
import type { Gauge } from "prom-client";
import type { Accounting } from "../accounting.js";
import { closeConnections } from "./close-connections.js";
import { rawResponse } from "./connection-faults.js";
import type { OpenConnections } from "./open-connections.js";
import { turnAway } from "./turn-away.js";

/** Where it listens, and its bounds. */
export interface ReportServerOptions {
  /** 0 takes any free one. */
  readonly port: number;
  /** Null listens on every address. */
  readonly host: string | null;
  readonly maxConnections: number;
  /** A stop that takes longer than this cuts what is still open, ms. */
  readonly maxStopMs: number;
}

/**
 * So many connections past `maxConnections`, as a share of it, are still read, so that their requests get an answer; those beyond
 * are answered unread.
 */
export const EXCESS_SHARE = 0.1;

/** The listening server: counts connections itself, since `maxConnections` of node:http closes them without an answer. */
export class ReportServer implements Part {
  readonly name = "report-server";
  readonly #server: Server;
  readonly #options: ReportServerOptions;
  readonly #accounting: Accounting;
  readonly #connections: OpenConnections;
  readonly #gauge: Gauge;
  readonly #clock: Clock;
  #isClosing = false;

  /** @param server nobody but node:http itself may hear of its connections yet. @param connections will watch it. */
  constructor(
    server: Server,
    options: ReportServerOptions,
    connections: OpenConnections,
    accounting: Accounting,
    gauge: Gauge,
    clock: Clock,
  ) {
    this.#server = server;
    this.#options = options;
    this.#accounting = accounting;
    this.#connections = connections;
    this.#gauge = gauge;
    this.#clock = clock;
    // Whatever node:http is told of, its parser reads, and its requests are served.
    const serve = server.listeners("connection") as ((socket: Socket) => void)[];
    server.removeAllListeners("connection");
    server.on("connection", (socket: Socket) => {
      if (this.#takes(socket)) for (const listener of serve) listener.call(server, socket);
    });
    connections.watch(server);
    server.prependListener("request", ({ socket }: IncomingMessage, res: ServerResponse) => {
      // Clients should come to another gateway with their next request.
      const { isExcess, lastResponse } = connections.of(socket);
      if (this.#isClosing || isExcess) endWith(res, lastResponse);
    });
  }

  /** The port that it listens on, once started. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Connections that are open. */
  get open(): number {
    return this.#connections.count;
  }

  /** Whether more connections are open than may be. */
  get isFull(): boolean {
    return this.open > this.#options.maxConnections;
  }

  /** @throws the listen error, e.g. EADDRINUSE. */
  async start(): Promise<void> {
    const { port, host } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ port, ...(host === null ? {} : { host }), backlog: 4_096 }, () => {
        this.#server.off("error", reject);
        resolve();
      });
    });
  }

  /** Answers end their connections from now on; new ones are still taken. */
  beginClosing(): void {
    this.#isClosing = true;
  }

  /**
   * Takes no more connections and resolves once every request under way is answered, or was cut after `maxStopMs`. Connections on which
   * none arrives soon are ended, and requests that do not arrive in full soon are answered 503.
   */
  async stop(): Promise<void> {
    this.beginClosing();
    if (!this.#server.listening) return;
    await closeConnections(this.#server, this.#connections, this.#options.maxStopMs, this.#clock);
  }

  /** Whether a connection is to be read; otherwise it is dealt with. */
  #takes(socket: Socket): boolean {
    this.#gauge.set(this.open);
    socket.once("close", () => this.#gauge.set(this.open));
    this.#connections.of(socket).isExcess = this.isFull;
    if (this.open <= this.#options.maxConnections * (1 + EXCESS_SHARE)) return true;
    const onRequest = () => {
      this.#accounting.received();
      this.#accounting.ended("busy");
    };
    turnAway(socket, { answer: rawResponse("busy"), onRequest }, this.#clock);
    return false;
  }
}

/** Has an answer end its connection, and none before it: of requests that came one behind the other each is answered. */
function endWith(res: ServerResponse, before: ServerResponse | null): void {
  if (before !== null && !before.headersSent) before.shouldKeepAlive = true;
  res.shouldKeepAlive = false;
}
