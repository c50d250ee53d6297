import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** What becomes of a path: connections are reset, also new ones at once, or packets go nowhere and nobody is told. */
export type Cut = "reset" | "black_hole";

/** What becomes of the connections that were there while packets went nowhere: what was on its way arrives late, or they are reset. */
export type Heal = "late" | "lost";

/** Makes what is passed on of what a server sent; one for each connection, since it may need the begin of what comes next. */
export type Translation = () => (bytes: Buffer) => readonly Buffer[];

/** Where a link leads. */
export interface LinkTarget {
  readonly host: string;
  readonly port: number;
}

/** A connection of a client, and the one to the server that goes with it. */
interface Connection {
  readonly client: Socket;
  readonly upstream: Socket;
  readonly flows: readonly [Flow, Flow];
}

const untouched: Translation = () => (bytes) => [bytes];

/** A path to a server that a test can cut and mend. */
export class NetworkLink {
  readonly port: number;
  readonly #server: Server;
  readonly #target: LinkTarget;
  readonly #translation: Translation;
  readonly #connections = new Set<Connection>();
  #cut: Cut | null = null;
  #met = 0;

  private constructor(server: Server, target: LinkTarget, translation: Translation) {
    this.#server = server;
    this.#target = target;
    this.#translation = translation;
    this.port = (server.address() as AddressInfo).port;
    server.on("connection", (client) => this.#join(client));
  }

  /** Listens on a free port of 127.0.0.1. */
  static async start(target: LinkTarget, translation = untouched): Promise<NetworkLink> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new NetworkLink(server, target, translation);
  }

  /** Connections that were begun and reset, and pieces of what was sent that went nowhere, since the cut. */
  get met(): number {
    return this.#met;
  }

  cut(cut: Cut): void {
    this.#cut = cut;
    this.#met = 0;
    if (cut === "reset") this.#resetAll();
    else for (const { flows } of this.#connections) for (const flow of flows) flow.hold();
  }

  heal(heal: Heal): void {
    if (this.#cut === "black_hole" && heal === "lost") this.#resetAll();
    for (const { flows } of this.#connections) for (const flow of flows) flow.release();
    this.#cut = null;
  }

  /** Ends every connection. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#resetAll();
    await closed;
  }

  #join(client: Socket): void {
    client.on("error", () => undefined);
    if (this.#cut === "reset") {
      this.#met += 1;
      client.resetAndDestroy();
      return;
    }
    const upstream = connect(this.#target.port, this.#target.host);
    upstream.on("error", () => undefined);
    const onHeld = () => {
      this.#met += 1;
    };
    const flows = [
      new Flow(client, upstream, (bytes) => [bytes], onHeld),
      new Flow(upstream, client, this.#translation(), onHeld),
    ] as const;
    const connection = { client, upstream, flows };
    this.#connections.add(connection);
    const forget = () => {
      if (client.closed && upstream.closed) this.#connections.delete(connection);
    };
    client.on("close", forget);
    upstream.on("close", forget);
    if (this.#cut === null) return;
    for (const flow of flows) flow.hold();
    // It never came about, so that nothing of it arrives later.
    client.on("close", () => upstream.destroy());
  }

  #resetAll(): void {
    for (const { client, upstream } of this.#connections) {
      client.resetAndDestroy();
      upstream.resetAndDestroy();
    }
    this.#connections.clear();
  }
}

/** One direction of a connection. What is sent while it is held, its end included, is passed on when it is released. */
class Flow {
  readonly #to: Socket;
  #held: Buffer[] | null = null;
  #isEnded = false;

  constructor(
    from: Socket,
    to: Socket,
    translate: (bytes: Buffer) => readonly Buffer[],
    onHeld: () => void,
  ) {
    this.#to = to;
    from.on("data", (bytes) => {
      for (const piece of translate(bytes)) {
        if (this.#held === null) this.#pass(piece);
        else {
          this.#held.push(piece);
          onHeld();
        }
      }
    });
    from.on("close", () => {
      this.#isEnded = true;
      if (this.#held === null) to.end();
    });
  }

  hold(): void {
    this.#held ??= [];
  }

  release(): void {
    for (const piece of this.#held ?? []) this.#pass(piece);
    this.#held = null;
    if (this.#isEnded) this.#to.end();
  }

  #pass(piece: Buffer): void {
    if (this.#to.writable) this.#to.write(piece);
  }
}
