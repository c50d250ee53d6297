import { createServer } from "node:net";
import { afterEach, expect, it } from "@jest/globals";
import { freePort } from "../../src/free-port.js";

const servers: ReturnType<typeof createServer>[] = [];

afterEach(async () => {
  await Promise.all(
    servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))),
  );
});

it("a free port is none that a connection may be given before somebody listens there, and comes once", async () => {
  const ports: number[] = [];
  for (let n = 0; n < 50; n += 1) ports.push(await freePort());
  expect(new Set(ports).size).toBe(50);
  // Linux gives connections the ports from 32768 on, macOS those from 49152 on; Kubernetes has its node ports from 30000 on.
  expect(Math.max(...ports)).toBeLessThan(30_000);
});

it("a free port is none that somebody listens on", async () => {
  const first = await freePort();
  const server = createServer();
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(first + 1, resolve));
  expect(await freePort()).not.toBe(first + 1);
});
