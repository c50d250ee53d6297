import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { setTimeout as delay, setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, describe, expect, it } from "@jest/globals";
import { systemClock } from "@push-reports/service-kit";
import {
  CONFORMANCE_CASES,
  CONFORMANCE_PATH,
  sendConformanceCase,
  waitFor,
} from "@push-reports/test-support";
import { Registry } from "prom-client";
import { Accounting } from "../../src/accounting.js";
import { createGatewayMetrics } from "../../src/metrics.js";
import { refuseEarly } from "../../src/server/refuse-early.js";
import { InMemoryReportPublisher } from "../fakes/in-memory-report-publisher.js";
import { startGateway, type TestGateway } from "../support/start-gateway.js";

const [good] = CONFORMANCE_CASES;
const BODY = '{"event":"open","publishId":"p","deviceId":"d","timestampSecs":1}';

describe("a full gateway", () => {
  let gateway: TestGateway | undefined;
  let open: () => void = () => {};
  const sockets: Socket[] = [];
  afterEach(async () => {
    open();
    for (const socket of sockets.splice(0)) socket.destroy();
    await gateway?.stop();
  });

  /** A gateway whose only place is taken. */
  const aFullGateway = async (): Promise<TestGateway> => {
    const publisher = new InMemoryReportPublisher();
    publisher.gate = new Promise((resolve) => {
      open = resolve;
    });
    const full = await startGateway(publisher, { maxInFlightRequests: 1 });
    gateway = full;
    if (good === undefined) throw new Error("There are no cases");
    sendConformanceCase(full.baseUrl, good).catch(() => undefined);
    while ((await full.counted()).requests === 0) await delay(5);
    return full;
  };
  const aSocket = async ({ port }: TestGateway): Promise<Socket> => {
    const socket = connect(port, "127.0.0.1");
    sockets.push(socket);
    await once(socket, "connect");
    return socket;
  };
  const head = (...more: readonly string[]) =>
    [`POST ${CONFORMANCE_PATH} HTTP/1.1`, "content-type: application/json", ...more, "", ""].join(
      "\r\n",
    );
  /** Everything that comes until the peer closes, or for a second. */
  const received = async (socket: Socket): Promise<string> => {
    let text = "";
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    await Promise.race([once(socket, "end"), delay(1_500)]);
    return text;
  };

  it("lets a client that will close its connection send its body first, and read the answer", async () => {
    const socket = await aSocket(await aFullGateway());
    const text = received(socket);
    socket.write(head("connection: close", `content-length: ${BODY.length}`));
    await delay(100);
    socket.write(BODY.slice(0, 10));
    await delay(100);
    socket.write(BODY.slice(10));

    expect(await text).toMatch(/^HTTP\/1\.1 503 .*"error":"Service unavailable"/s);
    expect(socket.errored).toBeNull();
  });

  it("answers a body that never ends, and reads no more than a bounded rest of it", async () => {
    const socket = await aSocket(await aFullGateway());
    socket.on("error", () => undefined);
    const text = received(socket);
    socket.write(head("content-length: 1000000000"));
    const chunk = Buffer.alloc(64 * 1024);
    let sent = 0;
    while (!socket.destroyed && sent < 64 * 1024 * 1024) {
      sent += chunk.length;
      if (!socket.write(chunk))
        await Promise.race([once(socket, "drain"), delay(200), once(socket, "close")]);
      if (socket.writableNeedDrain) break;
    }

    expect(await text).toMatch(/^HTTP\/1\.1 503 /);
    expect(sent).toBeLessThan(64 * 1024 * 1024);
  });
});

describe("the refusal before Express", () => {
  it("is for usual reports while nothing is admitted, and leaves all else alone", async () => {
    const entered: string[] = [];
    let isFull = true;
    const server = createServer(
      refuseEarly(
        (req, res) => {
          entered.push(`${req.method} ${req.url}`);
          res.writeHead(204).end();
        },
        {
          admission: {
            get isFull() {
              return isFull;
            },
          },
          accounting: new Accounting(createGatewayMetrics(new Registry())),
          isExcess: () => false,
          clock: systemClock,
        },
      ),
    ).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const send = async (method: string, path: string) => {
      const init = method === "POST" ? { method, body: BODY } : { method };
      return (await fetch(`http://127.0.0.1:${port}${path}`, init)).status;
    };
    expect(await send("POST", CONFORMANCE_PATH)).toBe(503);
    expect(await send("OPTIONS", CONFORMANCE_PATH)).toBe(204);
    expect(await send("POST", `${CONFORMANCE_PATH}?a=1`)).toBe(204);
    expect(await send("POST", "/")).toBe(204);
    isFull = false;
    expect(await send("POST", CONFORMANCE_PATH)).toBe(204);
    server.closeAllConnections();
    server.close();

    expect(entered).toEqual([
      `OPTIONS ${CONFORMANCE_PATH}`,
      `POST ${CONFORMANCE_PATH}?a=1`,
      "POST /",
      `POST ${CONFORMANCE_PATH}`,
    ]);
  });
});

describe("clients that ask again as soon as they are refused", () => {
  /** More than libuv looks at in one go: 1,024. */
  const CLIENTS = 1_200;
  const TURNS = 20;

  it("leave each turn of the event loop its end, however many they are", async () => {
    let refused = 0;
    const refuse = refuseEarly(() => undefined, {
      admission: { isFull: true },
      isExcess: () => false,
      accounting: new Accounting(createGatewayMetrics(new Registry())),
      clock: systemClock,
    });
    const server = createServer((req, res) => {
      refused += 1;
      refuse(req, res);
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const request = `POST ${CONFORMANCE_PATH} HTTP/1.1\r\nhost: a\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY}`;
    const clients: Socket[] = [];
    for (let index = 0; index < CLIENTS; index += 1) {
      const socket = connect(port, "127.0.0.1");
      clients.push(socket);
      await once(socket, "connect");
      socket.on("data", () => socket.write(request));
    }
    await waitFor(async () => (await connectionsOf(server)) === CLIENTS, {
      what: "every connection to be accepted",
    });
    for (const socket of clients) socket.write(request);

    const inTurn: number[] = [];
    for (let turn = 0; turn < TURNS; turn += 1) {
      const before = refused;
      await nextTurn();
      inTurn.push(refused - before);
    }
    for (const socket of clients) socket.destroy();
    server.close();
    expect(refused).toBeGreaterThan(CLIENTS);
    expect(Math.max(...inTurn)).toBeLessThanOrEqual(CLIENTS);
  });

  const connectionsOf = (server: Server) =>
    new Promise<number>((resolve, reject) =>
      server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
    );
});

describe("a gateway that is short of processor time", () => {
  let gateway: TestGateway;
  afterEach(() => gateway.stop());

  it("takes no more once reports wait for long to be judged, then keeps all that it took", async () => {
    const publisher = new InMemoryReportPublisher();
    publisher.workMs = 30;
    gateway = await startGateway(publisher);
    const sockets = await Promise.all(
      Array.from({ length: 121 }, async () => {
        const socket = connect(gateway.port, "127.0.0.1");
        await once(socket, "connect");
        return socket;
      }),
    );
    // One is accepted in each turn of the event loop.
    while (gateway.health.ready().details?.["connections"] !== sockets.length) await delay(5);
    const request = `POST ${CONFORMANCE_PATH} HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY}`;
    const statusOn = async (socket: Socket) => {
      socket.write(request);
      const [answer] = (await once(socket, "data")) as [Buffer];
      return Number(answer.toString("latin1", 9, 12));
    };
    const [late, ...early] = sockets as [Socket, ...Socket[]];
    // Nearly four seconds of work.
    const taken = early.map(statusOn);
    await delay(2_200);
    const refused = await statusOn(late);
    const isOverloaded = gateway.health.ready().details?.["isOverloaded"];
    const statuses = await Promise.all(taken);
    const afterwards = await statusOn(late);
    for (const socket of sockets) socket.destroy();

    expect([refused, isOverloaded, afterwards]).toEqual([503, true, 200]);
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(publisher.records).toHaveLength(121);
  });
});
