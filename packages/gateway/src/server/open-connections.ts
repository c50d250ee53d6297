import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { forgetHead } from "./large-requests.js";

/** What is known of one connection. */
export interface Connection {
  /** The request whose head was read last, until it is answered and has arrived in full. */
  current: IncomingMessage | null;
  /** The answer that goes out last, until it has. */
  lastResponse: ServerResponse | null;
  isFaulty: boolean;
  /** It is one more than may be open. */
  isExcess: boolean;
  /** Requests that came and whose answers are not out. */
  unanswered: number;
}

/** Requests that may wait for their answers on one connection; no SDK sends one before the last was answered. */
export const MAX_PIPELINED_REQUESTS = 32;

/** The connections that are open, and what each of them is at. */
export class OpenConnections {
  readonly #connections = new Map<Duplex, Connection>();
  #accepted = 0;

  /** Call before the server listens; hears of its connections before whatever was registered till then. */
  watch(server: Server): void {
    server.prependListener("request", (req: IncomingMessage, res: ServerResponse) => {
      const connection = this.of(req.socket);
      connection.current = req;
      connection.lastResponse = res;
      connection.unanswered += 1;
      // An idle connection should not hold what it was sent last.
      res.once("finish", () => {
        connection.unanswered -= 1;
        if (connection.lastResponse !== res) return;
        connection.lastResponse = null;
        if (req.complete) connection.current = null;
        else forgetHead(req);
      });
    });
    server.prependListener("connection", (socket: Socket) => {
      this.#accepted += 1;
      this.#connections.set(socket, newConnection());
      socket.once("close", () => this.#connections.delete(socket));
    });
  }

  /** How many there are. */
  get count(): number {
    return this.#connections.size;
  }

  /** How many there have been. */
  get accepted(): number {
    return this.#accepted;
  }

  /** What is known of a connection; of one that has closed already, nothing. */
  of(socket: Duplex): Connection {
    return this.#connections.get(socket) ?? newConnection();
  }

  /**
   * Has `next` hear of requests, but of none on a connection on which too many wait: that is cut, with the answers that it has not read, since
   * what it is sent would fill the memory. The request that is one too many is not looked at, nor counted.
   */
  bounded(next: RequestListener): RequestListener {
    return (req, res) => {
      const { socket } = req;
      if (this.of(socket).unanswered <= MAX_PIPELINED_REQUESTS) return next(req, res);
      socket.destroy();
    };
  }

  /** All of them, as they are now. */
  all(): readonly (readonly [Duplex, Connection])[] {
    return [...this.#connections];
  }
}

const newConnection = (): Connection => ({
  current: null,
  lastResponse: null,
  isFaulty: false,
  isExcess: false,
  unanswered: 0,
});
