import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { waitFor } from "@push-reports/test-support";
import { throughLinks } from "../faults/support/advertised-addresses.js";
import { NetworkLink } from "../faults/support/network-link.js";

/** What a client has of a connection. */
interface Client {
  readonly socket: Socket;
  readonly read: () => string;
  /** The code of the error that ended it. */
  readonly failure: () => string | undefined;
}

describe("a link that a fault cuts", () => {
  let server: Server;
  let link: NetworkLink;
  /** What the server got, over any connection. */
  let received: string;
  let accepted: Socket[];

  beforeEach(async () => {
    received = "";
    accepted = [];
    server = createServer((socket) => {
      accepted.push(socket);
      socket.on("error", () => undefined);
      socket.on("data", (bytes) => {
        received += bytes;
        socket.write(`answer to ${bytes}`);
      });
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    link = await NetworkLink.start({ host: "127.0.0.1", port });
  });
  afterEach(async () => {
    await link.close();
    for (const socket of accepted) socket.destroy();
    server.close();
  });

  function open(): Client {
    const socket = connect(link.port, "127.0.0.1");
    let text = "";
    let code: string | undefined;
    socket.on("data", (bytes) => {
      text += bytes;
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      code = error.code;
    });
    return { socket, read: () => text, failure: () => code };
  }

  async function opened(): Promise<Client> {
    const client = open();
    client.socket.write("hello;");
    await waitFor(() => client.read() === "answer to hello;", { what: "an answer" });
    return client;
  }

  it("resets connections and those that are begun, until it is mended", async () => {
    const before = await opened();
    link.cut("reset");
    await waitFor(() => before.failure() === "ECONNRESET", { what: "a reset" });
    const meanwhile = open();
    await waitFor(() => meanwhile.failure() === "ECONNRESET", { what: "another reset" });
    expect(link.met).toBe(1);

    link.heal("lost");
    await opened();
  });

  it("passes on late what went nowhere, also of a client that has gone since", async () => {
    const stays = await opened();
    const goes = await opened();
    link.cut("black_hole");
    stays.socket.write("late;");
    goes.socket.end("last words;");
    await waitFor(() => link.met === 2, { what: "both to be held" });
    expect(received).toBe("hello;hello;");

    link.heal("late");
    await waitFor(() => stays.read().endsWith("answer to late;"), { what: "the late answer" });
    await waitFor(() => received.includes("last words;"), { what: "the last words" });
  });

  it("holds what the server sends, too", async () => {
    const client = await opened();
    link.cut("black_hole");
    accepted[0]?.write("unasked;");
    await waitFor(() => link.met === 1, { what: "it to be held" });
    expect(client.read()).toBe("answer to hello;");

    link.heal("late");
    await waitFor(() => client.read().endsWith("unasked;"), { what: "it to arrive" });
  });

  it("loses what went nowhere together with its connections", async () => {
    const client = await opened();
    link.cut("black_hole");
    client.socket.write("lost;");
    await waitFor(() => link.met === 1, { what: "it to be held" });

    link.heal("lost");
    await waitFor(() => client.failure() === "ECONNRESET", { what: "a reset" });
    await opened();
    expect(received).toBe("hello;hello;");
  });

  it("lets nothing arrive of a connection that was begun and given up while packets went nowhere", async () => {
    link.cut("black_hole");
    const { socket } = open();
    socket.write("too early;");
    await waitFor(() => link.met === 1, { what: "it to be held" });
    socket.destroy();
    await waitFor(() => accepted.every(({ closed }) => closed), { what: "its end" });

    link.heal("late");
    await opened();
    expect(received).toBe("hello;");
  });
});

describe("a broker's address in its answers", () => {
  const broker = { host: "127.0.0.1", port: 40_001 };
  const answer = (...parts: readonly (string | number)[]) => {
    const body = Buffer.concat(
      parts.map((part) => {
        const bytes = Buffer.alloc(typeof part === "number" ? 4 : 2 + part.length);
        if (typeof part === "number") bytes.writeInt32BE(part);
        else bytes.write(part, bytes.writeInt16BE(part.length));
        return bytes;
      }),
    );
    const size = Buffer.alloc(4);
    size.writeInt32BE(body.length);
    return Buffer.concat([size, body]);
  };

  it("gets the link's port wherever it stands, however the answer is cut into pieces", () => {
    const other = answer("kafka-2", 9_092, "127.0.0.1", 40_002);
    const sent = Buffer.concat([answer("127.0.0.1", 40_001, 7, "127.0.0.1", 40_001), other]);
    const expected = Buffer.concat([answer("127.0.0.1", 50_001, 7, "127.0.0.1", 50_001), other]);

    for (const size of [1, 5, sent.length]) {
      const translate = throughLinks([broker], () => 50_001)();
      const pieces: Buffer[] = [];
      for (let at = 0; at < sent.length; at += size)
        pieces.push(...translate(sent.subarray(at, at + size)));
      expect(Buffer.concat(pieces)).toEqual(expected);
    }
  });
});
