import { createServer, type IncomingHttpHeaders, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** What a test does with a request before ClickHouse sees it. */
export interface Intervention {
  /** Resolves when the request may go on. */
  readonly until?: Promise<unknown>;
  /** Headers that replace the client's. */
  readonly headers?: Readonly<Record<string, string>>;
  /** It is answered as done, and ClickHouse never sees it. */
  readonly isSwallowed?: boolean;
  /** Its connection is cut before an answer, and ClickHouse never sees it. */
  readonly isCut?: boolean;
  /** It is answered with this text, and ClickHouse never sees it. */
  readonly answer?: string;
  /** It is answered with this error code of ClickHouse, and ClickHouse never sees it. */
  readonly refusedWith?: number;
}

/** A proxy in front of ClickHouse's HTTP interface, which can delay or change each request by its statement. */
export class ClickHouseProxy {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @param intervene is given the statement without the rows of an insert. */
  static async start(
    target: string,
    intervene: (statement: string) => Intervention,
  ): Promise<ClickHouseProxy> {
    const server = createServer(async (req, res) => {
      const body: Buffer[] = [];
      for await (const chunk of req) body.push(chunk as Buffer);
      const bytes = Buffer.concat(body);
      const url = new URL(req.url ?? "/", target);
      const statement = url.searchParams.get("query") ?? bytes.toString("utf8", 0, 4_096);
      const {
        until,
        headers,
        isSwallowed = false,
        isCut = false,
        answer: own,
        refusedWith,
      } = intervene(statement);
      await until;
      if (isCut) {
        res.destroy();
        return;
      }
      if (isSwallowed) {
        res.writeHead(200).end();
        return;
      }
      if (own !== undefined) {
        res.writeHead(200).end(own);
        return;
      }
      if (refusedWith !== undefined) {
        res.writeHead(500, { "X-ClickHouse-Exception-Code": String(refusedWith) });
        res.end(`Code: ${refusedWith}. DB::Exception: Refused by a test. (REFUSED_BY_A_TEST)`);
        return;
      }
      const sent: IncomingHttpHeaders = { ...req.headers, ...headers };
      const forwarded = request(url, { method: req.method, headers: { ...sent } }, (answer) => {
        res.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(res);
      });
      forwarded.on("error", () => res.destroy());
      forwarded.end(bytes);
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    return new ClickHouseProxy(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }
}
