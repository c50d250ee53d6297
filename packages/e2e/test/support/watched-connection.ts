import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** A port that passes every byte on to another one, and notes the first lines of the requests that go through. */
export class WatchedConnection {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #requests: string[] = [];

  private constructor(targetPort: number) {
    this.#server = createServer((client) => {
      const target = connect(targetPort, "127.0.0.1");
      for (const socket of [client, target]) {
        this.#sockets.add(socket);
        socket.on("error", () => {}).on("close", () => this.#sockets.delete(socket));
      }
      client.on("data", (bytes: Buffer) => this.#note(bytes.toString("latin1")));
      client.pipe(target).pipe(client);
    });
  }

  /** Starts one on a free port. */
  static async to(targetPort: number): Promise<WatchedConnection> {
    const watched = new WatchedConnection(targetPort);
    watched.#server.listen(0, "127.0.0.1");
    await once(watched.#server, "listening");
    return watched;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Method and path of each request so far, e.g. `POST /a`. */
  get requests(): readonly string[] {
    return this.#requests;
  }

  dispose(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #note(text: string): void {
    for (const [, request] of text.matchAll(/^([A-Z]+ \S+) HTTP\/1\.1\r$/gm))
      this.#requests.push(request ?? "");
  }
}
