import { mkdtemp, rm } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { CONFORMANCE_PATH, freePort, waitFor } from "@push-reports/test-support";
import { type Program, ServiceProcess } from "../support/service-process.js";

const BODY = '{"event":"open","publishId":"p","deviceId":"d","timestampSecs":1}';
const HEAD = `POST ${CONFORMANCE_PATH} HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: ${BODY.length}\r\n\r\n`;
const SHUTDOWN_TIMEOUT_MS = 12_000;

describe.each<Program>(["gateway", "standalone"])("A stop of the process %s", (program) => {
  let folder: string;
  let service: ServiceProcess | undefined;
  const sockets: Socket[] = [];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "stop-"));
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await service?.end("SIGKILL");
    await rm(folder, { recursive: true });
  });

  it("is over in time, with code 0, whatever its clients have not sent", async () => {
    const [http, operations, sql] = [await freePort(), await freePort(), await freePort()];
    const own: Readonly<Partial<Record<Program, Readonly<Record<string, string>>>>> = {
      // Kafka is away: reports are spilled.
      gateway: { KAFKA_BROKERS: `127.0.0.1:${await freePort()}`, SPILL_DIR: folder },
      standalone: { DATA_DIR: folder, SQL_PORT: String(sql) },
    };
    service = new ServiceProcess(program, {
      ...own[program],
      HTTP_PORT: String(http),
      OPERATIONS_PORT: String(operations),
      SHUTDOWN_DELAY_MS: "300",
      SHUTDOWN_TIMEOUT_MS: String(SHUTDOWN_TIMEOUT_MS),
    });
    await service.untilReady();
    const texts = ["", `POST ${CONFORMANCE_PATH} HTTP/1.1\r\nx: `, HEAD + BODY.slice(0, 9)].map(
      (sent) => {
        const socket = connect(http, "127.0.0.1");
        sockets.push(socket);
        let text = "";
        socket.on("error", () => {});
        socket.on("data", (chunk: Buffer) => {
          text += chunk.toString();
        });
        socket.write(sent);
        return () => text;
      },
    );
    const { status } = await fetch(`http://127.0.0.1:${http}${CONFORMANCE_PATH}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: BODY,
    });
    expect(status).toBe(200);
    await waitFor(async () => JSON.stringify(await service?.readiness()).includes('"inFlight":1'), {
      what: "the half-sent request to have begun",
    });

    const beganAt = Date.now();
    const { code, stdout } = await service.end("SIGTERM");
    expect(stdout).not.toContain("stop_failed");
    expect(code).toBe(0);
    expect(Date.now() - beganAt).toBeLessThan(SHUTDOWN_TIMEOUT_MS);
    const [silent, halfHead, halfBody] = texts.map((text) => text());
    expect(silent).toBe("");
    for (const refusal of [halfHead, halfBody])
      expect(refusal).toMatch(/^HTTP\/1\.1 503 .*This server is shutting down\. Try again\./s);
  });
});
