import { connect, type Socket } from "node:net";

/** How often a slow client sends its next byte, ms. */
const BYTE_EVERY_MS = 1_000;
/** Connections that are opened at a time. */
const AT_A_TIME = 200;

/** Clients that keep connections and finish nothing: of every three, one says nothing, one sends its head byte by byte, one its body. */
export class SlowClients {
  readonly #sockets: Socket[] = [];
  readonly #silent = new Set<Socket>();
  readonly #timer: NodeJS.Timeout;

  private constructor() {
    this.#timer = setInterval(() => {
      for (const socket of this.#sockets)
        if (!this.#silent.has(socket) && socket.writable) socket.write("x");
    }, BYTE_EVERY_MS);
  }

  /** Opens so many connections to a port of this machine. */
  static async open(port: number, path: string, count: number): Promise<SlowClients> {
    const clients = new SlowClients();
    for (let opened = 0; opened < count; opened += AT_A_TIME)
      await Promise.all(
        Array.from({ length: Math.min(AT_A_TIME, count - opened) }, (_, index) =>
          clients.#openOne(port, path, opened + index),
        ),
      );
    return clients;
  }

  /** Connections that the server has not closed. */
  get open(): number {
    return this.#sockets.filter(({ destroyed }) => !destroyed).length;
  }

  dispose(): void {
    clearInterval(this.#timer);
    for (const socket of this.#sockets) socket.destroy();
  }

  #openOne(port: number, path: string, index: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, "127.0.0.1");
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject).on("error", () => {});
        socket.resume();
        this.#sockets.push(socket);
        const head = `POST ${path} HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: 900\r\n`;
        if (index % 3 === 0) this.#silent.add(socket);
        if (index % 3 === 1) socket.write(`${head}x-slow: `);
        if (index % 3 === 2) socket.write(`${head}\r\n{`);
        resolve();
      });
    });
  }
}
