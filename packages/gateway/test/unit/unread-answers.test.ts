import { once } from "node:events";
import { connect, type Socket } from "node:net";
import process from "node:process";
import { afterEach, describe, expect, it } from "@jest/globals";
import { CONFORMANCE_PATH, parseAnswers, sendRaw, waitFor } from "@push-reports/test-support";
import type { HttpConfig } from "../../src/config.js";
import { MAX_PIPELINED_REQUESTS } from "../../src/server/open-connections.js";
import { InMemoryReportPublisher } from "../fakes/in-memory-report-publisher.js";
import { startGateway, type TestGateway } from "../support/start-gateway.js";

const GET = "GET /openapi.json HTTP/1.1\r\n\r\n";
const BODY = '{"event":"open","publishId":"p","deviceId":"d","timestampSecs":1}';
const POST = `POST ${CONFORMANCE_PATH} HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY}`;

describe("a client that does not read its answers", () => {
  let gateway: TestGateway;
  let client: Socket | undefined;
  afterEach(async () => {
    client?.destroy();
    await gateway.stop();
  });

  /** @returns the gateway's end of its connection. */
  const aClient = async (overrides: Partial<HttpConfig> = {}): Promise<Socket> => {
    gateway = await startGateway(new InMemoryReportPublisher(), overrides);
    const socket = connect(gateway.port, "127.0.0.1");
    client = socket;
    socket.on("error", () => undefined).pause();
    await once(socket, "connect");
    return await waitFor(() => endOf(socket), { what: "the connection to be accepted" });
  };
  const endOf = ({ localPort }: Socket) =>
    activeHandles().find(({ remotePort }) => remotePort === localPort);

  it("is cut when it has asked for too many at once", async () => {
    const end = await aClient();
    client?.write(GET.repeat(60 * MAX_PIPELINED_REQUESTS));
    await waitFor(() => end.destroyed, { what: "the connection to be cut" });
    // What it had asked for before the bound is all that was made.
    expect(end.bytesWritten).toBeLessThan(MAX_PIPELINED_REQUESTS * 20_000);
  });

  it("is cut when it has not read for a while, although it asked for few", async () => {
    const end = await aClient({
      keepAliveMs: 2_000,
      headersTimeoutMs: 200,
      requestTimeoutMs: 200,
      answerDeadlineMs: 300,
    });
    // One after the other, until the kernel takes no more of the answers.
    while (end.writableLength === 0 && !end.destroyed) {
      const { bytesWritten } = end;
      client?.write(GET);
      await waitFor(() => end.bytesWritten > bytesWritten || end.destroyed, {
        what: "the next answer",
        intervalMs: 1,
      });
    }
    expect(end.destroyed).toBe(false);
    await waitFor(() => end.destroyed, { what: "the connection to be cut" });
  });

  it("may have sent as many reports as any client would", async () => {
    await aClient();
    const texts = [POST.repeat(MAX_PIPELINED_REQUESTS)];
    const answers = parseAnswers(await sendRaw(gateway.port, texts, { quietMs: 1_000 }));
    expect(answers.map(({ status }) => status)).toEqual(
      Array.from({ length: MAX_PIPELINED_REQUESTS }, () => 200),
    );
  });
});

function activeHandles(): readonly Socket[] {
  return (process as unknown as { _getActiveHandles(): Socket[] })._getActiveHandles();
}
