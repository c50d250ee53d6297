import { connect, createServer, type Server, type Socket } from "node:net";

/** A connection of a client, and the one to the server that goes with it. */
interface Pair {
  readonly upstream: Socket;
  /** What the client sent while it was held; null while it is not. */
  held: Buffer[] | null;
}

/**
 * A network path that can delay what is on its way: while held, what clients send on the connections they have stays in here, also after
 * they closed them, and reaches the server when it is released. New connections pass. So a request can arrive long after its
 * sender gave it up, as it can from a socket's buffer or over a slow path.
 */
export class HoldingProxy {
  readonly #server: Server;
  readonly #upstreamPort: number;
  readonly #pairs = new Set<Pair>();

  private constructor(upstreamPort: number) {
    this.#upstreamPort = upstreamPort;
    this.#server = createServer((client) => this.#join(client));
  }

  /** Listens on `port` of 127.0.0.1 and passes on to `upstreamPort`. */
  static async listen(port: number, upstreamPort: number): Promise<HoldingProxy> {
    const proxy = new HoldingProxy(upstreamPort);
    await new Promise<void>((resolve) => proxy.#server.listen(port, "127.0.0.1", resolve));
    return proxy;
  }

  /** Holds what comes from now on over the connections that are open now. */
  hold(): void {
    for (const pair of this.#pairs) pair.held ??= [];
  }

  /** Bytes that are held. */
  get heldBytes(): number {
    const held = [...this.#pairs].flatMap((pair) => pair.held ?? []);
    return held.reduce((sum, { length }) => sum + length, 0);
  }

  /** Passes on what was held; resolves once the server has answered on each connection that held something. */
  async release(): Promise<void> {
    const answers: Promise<void>[] = [];
    for (const pair of this.#pairs) {
      const held = pair.held ?? [];
      pair.held = null;
      if (held.length === 0) continue;
      answers.push(
        new Promise((resolve) => {
          pair.upstream.once("data", () => resolve()).once("close", () => resolve());
        }),
      );
      pair.upstream.write(Buffer.concat(held));
    }
    await Promise.all(answers);
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const { upstream } of this.#pairs) upstream.destroy();
    await closed;
  }

  #join(client: Socket): void {
    const upstream = connect(this.#upstreamPort, "127.0.0.1");
    const pair: Pair = { upstream, held: null };
    this.#pairs.add(pair);
    client.on("data", (bytes) => {
      if (pair.held === null) upstream.write(bytes);
      else pair.held.push(bytes);
    });
    upstream.on("data", (bytes) => {
      if (client.writable) client.write(bytes);
    });
    client.on("error", () => client.destroy());
    upstream.on("error", () => upstream.destroy());
    // While something of it is held, the server must not hear that the client has gone.
    client.on("close", () => {
      if (pair.held === null || pair.held.length === 0) upstream.destroy();
    });
    upstream.on("close", () => {
      this.#pairs.delete(pair);
      client.destroy();
    });
  }
}
