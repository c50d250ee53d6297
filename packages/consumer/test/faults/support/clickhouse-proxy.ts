import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { PlannedAnswers } from "./planned-answers.js";

/** One statement on its way through a proxy. */
export interface Exchange {
  /** The proxy's consumer, by its proxy. */
  readonly proxy: ClickHouseProxy;
  /** To the consumer; destroying it cuts the connection. */
  readonly response: ServerResponse;
  /** Has ClickHouse execute the statement, whether the consumer still waits or not. */
  readonly execute: () => Promise<Answer>;
  /** Sends ClickHouse half of the body and cuts that connection. */
  readonly executeHalf: () => Promise<void>;
}

/** ClickHouse's answer. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

/** Between one consumer process and ClickHouse: passes statements on, unless another answer is planned. */
export class ClickHouseProxy {
  readonly url: string;
  readonly #server: ReturnType<typeof createServer>;

  private constructor(server: ReturnType<typeof createServer>) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** @param target the URL of ClickHouse. */
  static async start(target: string, planned: PlannedAnswers): Promise<ClickHouseProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const proxy = new ClickHouseProxy(server);
    server.on("request", (incoming: IncomingMessage, response: ServerResponse) => {
      // A consumer that was killed has no use for an answer.
      response.on("error", () => undefined);
      bodyOf(incoming)
        .then(async (body) => {
          const execute = () => send(target, incoming, body);
          const executeHalf = () => sendHalf(target, incoming, body);
          const answer = planned.take(tableOf(incoming));
          await answer({ proxy, response, execute, executeHalf });
        })
        // What cannot be passed on ends as a network failure does: without an answer.
        .catch(() => response.destroy());
    });
    return proxy;
  }

  /** Ends every connection. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }
}

/** The table that a statement inserts into, or null for a question. */
function tableOf({ url = "" }: IncomingMessage): string | null {
  const query = new URL(url, "http://proxy").searchParams.get("query") ?? "";
  return /^INSERT INTO \w+\.(\w+)/.exec(query)?.[1] ?? null;
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function open(target: string, { method, url = "", headers }: IncomingMessage) {
  const { host: _, connection: __, "transfer-encoding": ___, ...kept } = headers;
  return request(new URL(url, target), { method, headers: kept, agent: false });
}

function send(target: string, incoming: IncomingMessage, body: Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sending = open(target, incoming);
    sending.on("error", reject);
    sending.on("response", (answer) => {
      const { statusCode: status = 500, headers } = answer;
      bodyOf(answer).then((text) => resolve({ status, headers, body: text }), reject);
    });
    sending.setHeader("content-length", body.length);
    sending.end(body);
  });
}

function sendHalf(target: string, incoming: IncomingMessage, body: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const sending = open(target, incoming);
    sending.on("error", () => undefined);
    sending.on("close", resolve);
    sending.setHeader("content-length", body.length);
    // Up to the end of a line, so that what arrives looks complete but for its length.
    const half = body.subarray(0, body.indexOf("\n", Math.floor(body.length / 2)) + 1);
    sending.write(half, () => sending.destroy());
  });
}
