import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, it } from "@jest/globals";
import { CONFORMANCE_PATH, waitFor } from "@push-reports/test-support";
import { InMemoryReportPublisher } from "../fakes/in-memory-report-publisher.js";
import { startGateway, type TestGateway } from "../support/start-gateway.js";

const BODY = '{"event":"open","publishId":"p","deviceId":"d","timestampSecs":1}';
const HEAD = `POST ${CONFORMANCE_PATH} HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: ${BODY.length}\r\n\r\n`;
/** With all that it grants, a stop is over by then, ms. */
const PATIENCE_MS = 3_500;

/** A client's connection and all that came on it. */
interface Client {
  readonly socket: Socket;
  readonly text: () => string;
  /** Unix ms of the end of the connection; null before. */
  readonly endedAt: () => number | null;
}

describe("a stop", () => {
  const sockets: Socket[] = [];
  let gateway: TestGateway | undefined;
  let open: () => void = () => {};
  afterEach(async () => {
    open();
    for (const socket of sockets.splice(0)) socket.destroy();
    await gateway?.stop();
  });

  const aClient = async (port: number, sent = ""): Promise<Client> => {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: false });
    sockets.push(socket);
    let text = "";
    let endedAt: number | null = null;
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    for (const event of ["end", "close"])
      socket.on(event, () => {
        endedAt ??= Date.now();
      });
    await once(socket, "connect");
    if (sent !== "") socket.write(sent);
    return { socket, text: () => text, endedAt: () => endedAt };
  };
  const stopOf = async (stopping: TestGateway) => {
    const beganAt = Date.now();
    const how = await Promise.race([
      stopping.stop().then(() => "over" as const),
      delay(PATIENCE_MS + 1_500, "still going on" as const, { ref: false }),
    ]);
    return { how, beganAt, tookMs: Date.now() - beganAt };
  };
  const aGatedGateway = async (overrides = {}) => {
    const publisher = new InMemoryReportPublisher();
    publisher.gate = new Promise((resolve) => {
      open = resolve;
    });
    gateway = await startGateway(publisher, overrides);
    return { gateway, publisher };
  };

  it("ends what waits for nothing at once, answers what is in flight, and 503 to whatever is half sent", async () => {
    const { gateway: stopping, publisher } = await aGatedGateway();
    const { port } = stopping;
    const silent = await aClient(port);
    const halfHead = await aClient(port, `POST ${CONFORMANCE_PATH} HTTP/1.1\r\ncontent-`);
    const idle = await aClient(port, "GET /nowhere HTTP/1.1\r\n\r\n");
    const halfBody = await aClient(port, HEAD + BODY.slice(0, 20));
    const lateBody = await aClient(port, HEAD + BODY.slice(0, 20));
    const inFlight = await aClient(port, HEAD + BODY);
    await waitFor(async () => (await stopping.counted()).requests === 3 && idle.text() !== "", {
      what: "the requests to have arrived",
    });

    const stopped = stopOf(stopping);
    await delay(200);
    lateBody.socket.write(BODY.slice(20));
    await delay(200);
    open();
    const { how, beganAt, tookMs } = await stopped;

    expect(how).toBe("over");
    expect(tookMs).toBeLessThan(PATIENCE_MS);
    await waitFor(() => Promise.resolve(halfBody.endedAt() !== null), { what: "its end" });
    for (const one of [silent, halfHead, idle])
      expect((one.endedAt() ?? Number.POSITIVE_INFINITY) - beganAt).toBeLessThan(200);
    expect([silent.text(), halfHead.text()]).toEqual(["", ""]);
    for (const one of [inFlight, lateBody])
      expect(one.text()).toMatch(/^HTTP\/1\.1 200 OK\r\n.*connection: close/is);
    expect(halfBody.text()).toMatch(
      /^HTTP\/1\.1 503 .*connection: close.*"description":"This server is shutting down\. Try again\."/is,
    );
    expect(publisher.records).toHaveLength(2);
    expect(await stopping.counted()).toEqual({
      requests: 3,
      outcomes: { published: 2, stopping: 1 },
    });
    gateway = undefined;
  });

  it("leaves a request whose body comes late its whole deadline", async () => {
    const { gateway: stopping } = await aGatedGateway({ answerDeadlineMs: 2_500 });
    const late = await aClient(stopping.port, HEAD + BODY.slice(0, 20));
    await waitFor(async () => (await stopping.counted()).requests === 1, { what: "its arrival" });
    const stopped = stopOf(stopping);
    await delay(800);
    late.socket.write(BODY.slice(20));
    await delay(2_400);
    open();
    expect((await stopped).how).toBe("over");
    await waitFor(() => Promise.resolve(late.endedAt() !== null), { what: "its end" });

    expect(late.text()).toMatch(/^HTTP\/1\.1 200 OK\r\n.*connection: close/is);
  });

  it("cuts what does not end in its time", async () => {
    const { gateway: stopping } = await aGatedGateway({ answerDeadlineMs: 500 });
    const hanging = await aClient(stopping.port, HEAD + BODY);
    await waitFor(async () => (await stopping.counted()).requests === 1, { what: "its arrival" });
    const { how, tookMs } = await stopOf(stopping);

    expect(how).toBe("over");
    expect(tookMs).toBeLessThan(PATIENCE_MS);
    await waitFor(() => Promise.resolve(hanging.endedAt() !== null), { what: "its end" });
  });
});
