import { connect, type Socket } from "node:net";

/** Who is told what becomes of a connection. */
export interface ConnectionListener {
  /** The request under way was answered; the connection takes the next one. */
  answered(connection: RequestConnection, status: number): void;
  /** The connection is gone. @param owed whether an answer was still to come. */
  ended(connection: RequestConnection, owed: boolean): void;
}

const READ_BUFFER_BYTES = 4_096;
const CARRIAGE_RETURN = 0x0d;
const STATUS_AT = 9;

/**
 * One kept-alive connection with one request under way at most. It reads just as much HTTP as it needs, the status and where an answer
 * ends, since a generator that costs as much as the service would measure itself.
 */
export class RequestConnection {
  /** When the request under way was due, ms of `performance.now()`. */
  dueAt = 0;
  readonly #listener: ConnectionListener;
  readonly #socket: Socket;
  #isWaiting = false;
  /** Of an answer that did not come in one piece. */
  #begun: Buffer | null = null;

  private constructor(port: number, listener: ConnectionListener, onConnected: () => void) {
    this.#listener = listener;
    this.#socket = connect(
      {
        port,
        host: "127.0.0.1",
        noDelay: true,
        onread: {
          buffer: Buffer.allocUnsafe(READ_BUFFER_BYTES),
          callback: (length, bytes) => {
            this.#take(Buffer.from(bytes.buffer, bytes.byteOffset, length));
            return true;
          },
        },
      },
      onConnected,
    );
    this.#socket.on("error", () => {});
    this.#socket.on("close", () => {
      const owed = this.#isWaiting;
      this.#isWaiting = false;
      listener.ended(this, owed);
    });
  }

  /** Resolves once it is open. @throws Error when it cannot be opened; the listener hears of that too. */
  static open(port: number, listener: ConnectionListener): Promise<RequestConnection> {
    return new Promise((resolve, reject) => {
      const connection = new RequestConnection(port, listener, () => resolve(connection));
      connection.#socket.once("error", reject);
    });
  }

  /** Sends a whole request. */
  send(request: Buffer, dueAt: number): void {
    this.dueAt = dueAt;
    this.#isWaiting = true;
    this.#socket.write(request);
  }

  /** Ends it at once. */
  close(): void {
    this.#isWaiting = false;
    this.#socket.destroy();
  }

  #take(bytes: Buffer): void {
    const answer = this.#begun === null ? bytes : Buffer.concat([this.#begun, bytes]);
    const length = answerLength(answer);
    if (length > answer.length) {
      // The bytes lie in a buffer that the next piece overwrites.
      this.#begun = Buffer.from(answer);
      return;
    }
    this.#begun = null;
    this.#isWaiting = false;
    this.#listener.answered(this, Number(answer.toString("latin1", STATUS_AT, STATUS_AT + 3)));
  }
}

/** Bytes of the answer that begins here, or more than there are when its head is not complete. */
function answerLength(bytes: Buffer): number {
  const headEnd = endOfHead(bytes);
  if (headEnd === -1) return Number.POSITIVE_INFINITY;
  // An answer that ends with its head is the usual one, and has no body: nothing more to look for.
  const head = bytes.toString("latin1", 0, headEnd);
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  return headEnd + Number(length ?? 0);
}

/** Index behind the empty line, or −1. */
function endOfHead(bytes: Buffer): number {
  const { length } = bytes;
  const isAtEnd =
    bytes[length - 1] === 0x0a &&
    bytes[length - 2] === CARRIAGE_RETURN &&
    bytes[length - 3] === 0x0a &&
    bytes[length - 4] === CARRIAGE_RETURN;
  if (isAtEnd) return length;
  const at = bytes.indexOf("\r\n\r\n", 0, "latin1");
  return at === -1 ? -1 : at + 4;
}
