import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

/** What is known of one connection. */
export interface Connection {
  /** The request whose head was read last. */
  current: IncomingMessage | null;
  /** The answer that goes out last. */
  lastResponse: ServerResponse | null;
  isFaulty: boolean;
}

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

  /** All of them, as they are now. */
  all(): readonly (readonly [Duplex, Connection])[] {
    return [...this.#connections];
  }
}

const newConnection = (): Connection => ({ current: null, lastResponse: null, isFaulty: false });
