import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { waitFor } from "@push-reports/test-support";
import { type ReadBody, readBody } from "../../src/read-body.js";

const MAX_BYTES = 16_384;
const HEAD = "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
const END = "0\r\n\r\n";

const chunksOf = (text: string) =>
  [...text].map((letter) => `${letter.length.toString(16)}\r\n${letter}\r\n`).join("");

/** Bytes that are in use once garbage has been collected, whatever needs more than one collection included. */
async function usedBytes(): Promise<number> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  for (let round = 0; round < 5; round += 1) {
    collect();
    await delay(20);
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const byText = (a: string, b: string) => a.localeCompare(b);

describe("a body", () => {
  let server: Server;
  const requests: IncomingMessage[] = [];
  const read: Promise<ReadBody>[] = [];
  const sockets: Socket[] = [];
  beforeEach(async () => {
    server = createServer((req, res) => {
      requests.push(req);
      const reading = readBody(req, MAX_BYTES);
      read.push(reading);
      void reading.then(() => res.end());
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
  });
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
    server.closeAllConnections();
    server.close();
    requests.length = 0;
    read.length = 0;
  });

  const send = (bytes: string): Socket => {
    const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
    sockets.push(socket);
    socket.on("error", () => {});
    socket.write(bytes, "latin1");
    return socket;
  };
  const untilArrived = (bytes: number) =>
    waitFor(
      () =>
        requests.length === sockets.length &&
        requests.every(({ socket }) => socket.bytesRead === bytes),
      { what: "the bytes", timeoutMs: 20_000 },
    );

  it("takes little more memory than its bytes, however many chunks they come in", async () => {
    const bodies = 20;
    const sent = HEAD + chunksOf("x".repeat(16_300));
    const before = await usedBytes();
    for (let body = 0; body < bodies; body += 1) send(sent);
    await untilArrived(sent.length);

    expect(((await usedBytes()) - before) / bodies).toBeLessThan(8 * MAX_BYTES);
  });

  it("is what was sent, in one chunk or many, up to its bound", async () => {
    const texts = ["", "a", "ab", "0123456789".repeat(500), "x".repeat(MAX_BYTES)];
    for (const text of texts) send(HEAD + chunksOf(text) + END);
    const whole = "y".repeat(MAX_BYTES);
    send(`POST / HTTP/1.1\r\nhost: x\r\ncontent-length: ${MAX_BYTES}\r\n\r\n${whole}`);
    await waitFor(() => read.length === texts.length + 1, { what: "the requests" });
    const bodies = (await Promise.all(read)).map((body) =>
      body.kind === "read" ? body.bytes.toString() : body.kind,
    );

    expect(bodies.toSorted(byText)).toEqual([...texts, whole].toSorted(byText));
  });

  it("is refused past its bound, in one chunk or many", async () => {
    const long = "x".repeat(MAX_BYTES + 1);
    send(HEAD + chunksOf(long) + END);
    send(`${HEAD}${long.length.toString(16)}\r\n${long}\r\n${END}`);
    await waitFor(() => read.length === 2, { what: "the requests" });

    expect(await Promise.all(read)).toEqual([
      { kind: "refused", hasEnded: true },
      { kind: "refused", hasEnded: true },
    ]);
  });
});
