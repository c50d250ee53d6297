import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as delay, setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { CONFORMANCE_PATH, parseAnswers, waitFor } from "@push-reports/test-support";
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

  const untilEnded = (clients: readonly Client[]) =>
    waitFor(() => Promise.resolve(clients.every(({ endedAt }) => endedAt() !== null)), {
      what: "their ends",
    });
  const GET = "GET /nowhere HTTP/1.1\r\n\r\n";

  it("ends what waits for nothing, answers what is in flight, and 503 to whatever is half sent", async () => {
    const { gateway: stopping, publisher } = await aGatedGateway();
    const { port } = stopping;
    const silent = await aClient(port);
    const halfHead = await aClient(port, `POST ${CONFORMANCE_PATH} HTTP/1.1\r\ncontent-`);
    const idle = await aClient(port, GET);
    const nextHalfHead = await aClient(port, `${GET}POST ${CONFORMANCE_PATH} HTTP/1.1\r\ncontent-`);
    const halfBody = await aClient(port, HEAD + BODY.slice(0, 20));
    const lateBody = await aClient(port, HEAD + BODY.slice(0, 20));
    const inFlight = await aClient(port, HEAD + BODY);
    await waitFor(
      async () =>
        (await stopping.counted()).requests === 3 &&
        [idle, nextHalfHead].every(({ text }) => text() !== ""),
      { what: "the requests to have arrived" },
    );
    const before = nextHalfHead.text();

    const stopped = stopOf(stopping);
    await delay(200);
    lateBody.socket.write(BODY.slice(20));
    await delay(200);
    open();
    const { how, tookMs } = await stopped;

    expect(how).toBe("over");
    expect(tookMs).toBeLessThan(PATIENCE_MS);
    await untilEnded([silent, halfHead, idle, nextHalfHead, halfBody, lateBody, inFlight]);
    expect(silent.text()).toBe("");
    expect(parseAnswers(idle.text()).map(({ status }) => status)).toEqual([404]);
    for (const one of [inFlight, lateBody])
      expect(one.text()).toMatch(/^HTTP\/1\.1 200 OK\r\n.*connection: close/is);
    for (const refusal of [
      halfHead.text(),
      nextHalfHead.text().slice(before.length),
      halfBody.text(),
    ])
      expect(refusal).toMatch(
        /^HTTP\/1\.1 503 .*connection: close.*"description":"This server is shutting down\. Try again\."/is,
      );
    expect(publisher.records).toHaveLength(2);
    expect(await stopping.counted()).toEqual({
      requests: 5,
      outcomes: { published: 2, stopping: 3 },
    });
    gateway = undefined;
  });

  describe("answers a request that no one has read yet", () => {
    /** One is accepted a turn of the loop, and a stop waits for them for a quarter of a second at most. */
    const WAITING = 10;
    const ANSWERED = /^HTTP\/1\.1 200 OK\r\n.*connection: close/is;
    let publisher: InMemoryReportPublisher;
    let stopping: TestGateway;
    beforeEach(async () => {
      publisher = new InMemoryReportPublisher();
      stopping = await startGateway(publisher);
      gateway = stopping;
    });
    const connections = () => stopping.health.ready().details?.["connections"];
    /** Begins to stop before anyone reads what `send` sends: its timer is due before sockets get their turn. */
    const stopAfter = async (send: () => void): Promise<() => Promise<void>> => {
      await nextTurn();
      send();
      const stopped = stopping.stop();
      const endsAt = performance.now() + 20;
      while (performance.now() < endsAt);
      return () => stopped;
    };

    it("on a connection that was idle", async () => {
      const client = await aClient(stopping.port, GET);
      await waitFor(() => client.text() !== "", { what: "its first answer" });
      const { length } = client.text();
      const stopped = await stopAfter(() => client.socket.write(HEAD + BODY));
      await stopped();
      await untilEnded([client]);
      expect(client.text().slice(length)).toMatch(ANSWERED);
    });

    it("on a connection that had said nothing, also when it arrives a little later", async () => {
      const [early, late] = [await aClient(stopping.port), await aClient(stopping.port)];
      await waitFor(() => connections() === 2, { what: "the connections" });
      const stopped = await stopAfter(() => early.socket.write(HEAD + BODY));
      await delay(200);
      late.socket.write(HEAD + BODY);
      await stopped();
      await untilEnded([early, late]);
      for (const { text } of [early, late]) expect(text()).toMatch(ANSWERED);
    });

    it("on connections that no one has accepted yet", async () => {
      let clients: Promise<readonly Client[]> = Promise.resolve([]);
      const stopped = await stopAfter(() => {
        const each = Array.from({ length: WAITING }, () => aClient(stopping.port, HEAD + BODY));
        clients = Promise.all(each);
      });
      await stopped();
      const all = await clients;
      await untilEnded(all);
      for (const { text } of all) expect(text()).toMatch(ANSWERED);
      expect(publisher.records).toHaveLength(WAITING);
    });

    it("behind another one, whose answer does not end the connection", async () => {
      const client = await aClient(stopping.port);
      await waitFor(() => connections() === 1, { what: "the connection" });
      const stopped = await stopAfter(() => client.socket.write((HEAD + BODY).repeat(3)));
      await stopped();
      await untilEnded([client]);
      const answers = parseAnswers(client.text());
      expect(answers.map(({ status, headers }) => [status, headers["connection"]])).toEqual([
        [200, "keep-alive"],
        [200, "keep-alive"],
        [200, "close"],
      ]);
      expect(publisher.records).toHaveLength(3);
    });
  });

  it("leaves a request whose body comes late, or one before another that is refused, its whole deadline", async () => {
    const { gateway: stopping } = await aGatedGateway({ answerDeadlineMs: 2_500 });
    const late = await aClient(stopping.port, HEAD + BODY.slice(0, 20));
    const two = await aClient(stopping.port, HEAD + BODY + HEAD + BODY.slice(0, 20));
    await waitFor(async () => (await stopping.counted()).requests === 3, { what: "their arrival" });
    const stopped = stopOf(stopping);
    await delay(800);
    late.socket.write(BODY.slice(20));
    await delay(2_400);
    open();
    expect((await stopped).how).toBe("over");
    await untilEnded([late, two]);

    expect(late.text()).toMatch(/^HTTP\/1\.1 200 OK\r\n.*connection: close/is);
    expect(parseAnswers(two.text()).map(({ status }) => status)).toEqual([200, 503]);
  });

  it("cuts what does not end in its time", async () => {
    const { gateway: stopping } = await aGatedGateway({ answerDeadlineMs: 500 });
    const hanging = await aClient(stopping.port, HEAD + BODY);
    await waitFor(async () => (await stopping.counted()).requests === 1, { what: "its arrival" });
    const { how, tookMs } = await stopOf(stopping);

    expect(how).toBe("over");
    expect(tookMs).toBeLessThan(PATIENCE_MS);
    await untilEnded([hanging]);
  });
});
