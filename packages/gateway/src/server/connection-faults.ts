import { type IncomingMessage, type Server, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Clock } from "@push-reports/service-kit";
import type { Accounting } from "../accounting.js";
import { type FaultCode, writeFault } from "../error-responses.js";
import { BODY_FAULT, type BodyFault } from "../read-body.js";
import { answerAndClose } from "./linger.js";
import type { OpenConnections } from "./open-connections.js";

/** An answer that is late on a busy machine is not taken for a client that takes none. */
const ANSWER_TIMES = 2;

/**
 * Answers what `node:http` would answer by itself, in the API's own form: requests that its parser cannot read (400, where it
 * says 400, 413 or 431 without a body) and those that do not arrive in time, or before a stop (503, where it says 408).
 */
export class ConnectionFaults {
  readonly #connections: OpenConnections;
  readonly #accounting: Accounting;
  readonly #clock: Clock;

  /** @param connections must watch the same server. */
  constructor(connections: OpenConnections, accounting: Accounting, clock: Clock) {
    this.#connections = connections;
    this.#accounting = accounting;
    this.#clock = clock;
  }

  /** Call before the server listens. @param answerDeadlineMs within which requests that have arrived are answered. */
  watch(server: Server, answerDeadlineMs: number): void {
    // A client that takes no answers is cut off once neither side has got a byte through for longer than a request or its answer may take.
    server.timeout =
      Math.max(server.headersTimeout, server.requestTimeout) + ANSWER_TIMES * answerDeadlineMs;
    // A client may close its side once it has sent its request, and still listen; node:http would close the other side too.
    Object.assign(server, { httpAllowHalfOpen: true });
    // An Expect that means nothing to us changes nothing; node:http would answer 417.
    server.on("checkExpectation", (req, res) => server.emit("request", req, res));
    server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
      const late = server.listening ? "request_timeout" : "stopping";
      const isLate = error.code === "ERR_HTTP_REQUEST_TIMEOUT";
      this.#onFault(error, socket as Socket, isLate ? late : "unreadable_request");
    });
    // Without this, node:http would close the connection of a CONNECT unanswered.
    server.on("connect", (_req: IncomingMessage, socket: Duplex) => {
      // node:http has taken its own listener away, and an error that nobody hears ends the process.
      socket.on("error", () => {});
      this.#answerInTurn(socket as Socket, "unreadable_request");
    });
  }

  #onFault(error: NodeJS.ErrnoException, socket: Socket, code: BodyFault): void {
    const connection = this.#connections.of(socket);
    // The parser repeats its error for all that still comes in.
    if (connection.isFaulty) return;
    connection.isFaulty = true;
    if (!socket.writable || error.code === "ECONNRESET" || socket.bytesRead === 0)
      return void socket.destroy();
    const { current } = connection;
    if (current !== null && !current.complete) return void this.#failBody(current, socket, code);
    this.#answerInTurn(socket, code);
  }

  /** Earlier requests on this connection are answered first. */
  #answerInTurn(socket: Socket, code: FaultCode): void {
    this.#afterAnswers(socket, () => this.#answer(socket, code));
  }

  #afterAnswers(socket: Socket, then: () => void): void {
    const { lastResponse } = this.#connections.of(socket);
    if (lastResponse === null || lastResponse.writableFinished) then();
    else lastResponse.once("finish", then);
  }

  /** Its route answers, if one waits for the body; otherwise the answer is given already, and ends the connection once it is out. */
  #failBody(req: IncomingMessage, socket: Socket, code: BodyFault): void {
    if (!req.emit(BODY_FAULT, code)) this.#afterAnswers(socket, () => socket.destroySoon());
  }

  #answer(socket: Socket, code: FaultCode): void {
    // The answer before this one has ended the connection.
    if (!socket.writable) return;
    this.#accounting.received();
    this.#accounting.ended(code);
    answerAndClose(socket, rawResponse(code), this.#clock);
  }
}

/** An answer for a connection that has no request object. */
export function rawResponse(code: FaultCode): string {
  const { status, headers, body } = writeFault({ code });
  const lines = Object.entries({ ...headers, connection: "close" }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join("")}\r\n${body}`;
}
