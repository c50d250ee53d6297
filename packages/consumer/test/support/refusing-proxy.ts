import { connect, createServer, type Server, type Socket } from "node:net";

/** Kafka's request kinds (`api_key`) that a test refuses, and the version whose answer is written here. */
const REFUSABLE = {
  /** Version 3: throttle time, error code. */
  heartbeat: { apiKey: 12, version: 3, rest: [] },
  /** Version 5: throttle time, error code, generation, protocol, leader, member, members. */
  joinGroup: { apiKey: 11, version: 5, rest: [-1, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] },
} as const;

/** A kind of request that can be refused. */
export type Refusable = keyof typeof REFUSABLE;

/** Kafka's error codes (https://kafka.apache.org/protocol#protocol_error_codes) that the tests use. */
export const COORDINATOR_LOADING = 14;
export const NOT_COORDINATOR = 16;

/**
 * The way to a broker, on which chosen requests do not get there: they are answered with an error code, as a broker does that has just
 * been given, or has just lost, a group.
 */
export class RefusingProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #refusals: { readonly kind: Refusable; readonly errorCode: number }[] = [];

  private constructor(upstreamPort: number) {
    this.#server = createServer((client) => this.#join(client, connect(upstreamPort, "127.0.0.1")));
  }

  /** Listens on a free port of 127.0.0.1 and passes on to `upstreamPort`. */
  static async listen(upstreamPort: number): Promise<RefusingProxy> {
    const proxy = new RefusingProxy(upstreamPort);
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("It does not listen");
    return address.port;
  }

  /** Refuses the next requests of these kinds, each once, in any order. */
  refuse(...refusals: readonly { readonly kind: Refusable; readonly errorCode: number }[]): void {
    this.#refusals.push(...refusals);
  }

  /** How many requests that are to be refused have not come yet. */
  get refusalsLeft(): number {
    return this.#refusals.length;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #join(client: Socket, upstream: Socket): void {
    let unread = Buffer.alloc(0);
    client.on("data", (bytes) => {
      unread = Buffer.concat([unread, bytes]);
      while (unread.length >= 4 && unread.length >= 4 + unread.readInt32BE(0)) {
        const end = 4 + unread.readInt32BE(0);
        const request = unread.subarray(0, end);
        unread = unread.subarray(end);
        const answer = this.#refusalOf(request);
        if (answer === null) upstream.write(request);
        else client.write(answer);
      }
    });
    upstream.on("data", (bytes) => client.write(bytes));
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
  }

  /** The answer in the broker's place; null for a request that is passed on. */
  #refusalOf(request: Buffer): Buffer | null {
    const apiKey = request.readInt16BE(4);
    const version = request.readInt16BE(6);
    const index = this.#refusals.findIndex(({ kind }) => REFUSABLE[kind].apiKey === apiKey);
    const refusal = this.#refusals[index];
    if (refusal === undefined) return null;
    const form = REFUSABLE[refusal.kind];
    if (version !== form.version)
      throw new Error(`kafkajs sends ${refusal.kind} in version ${version} now`);
    this.#refusals.splice(index, 1);
    const answer = Buffer.alloc(14 + form.rest.length);
    answer.writeInt32BE(answer.length - 4, 0);
    request.copy(answer, 4, 8, 12);
    answer.writeInt16BE(refusal.errorCode, 12);
    form.rest.forEach((byte, at) => {
      answer.writeInt8(byte, 14 + at);
    });
    return answer;
  }
}
