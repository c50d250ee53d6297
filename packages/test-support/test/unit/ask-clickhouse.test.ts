import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it } from "@jest/globals";
import { askClickHouse } from "../../src/index.js";

it("asks over a connection of its own each time, which no server can have closed since the last", async () => {
  const connections = new Set<unknown>();
  const server = createServer((req, res) => {
    connections.add(req.socket);
    req.resume().on("end", () => res.end("1"));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const endpoint = { url: `http://127.0.0.1:${port}`, user: "u", password: "p", database: "d" };
  try {
    for (const _ of [1, 2, 3]) expect(await askClickHouse(endpoint, "SELECT 1")).toBe("1");
    expect(connections.size).toBe(3);
  } finally {
    server.close();
  }
});
