import { createServer } from "node:http";
import { afterEach, describe, expect, it } from "@jest/globals";
import { Counter, Registry } from "prom-client";
import { type Health, OperationsServer } from "../../src/index.js";

describe("the operations server", () => {
  let server: OperationsServer | null = null;
  afterEach(async () => server?.stop());

  async function started(
    health: { live?: Health; ready?: Health } = {},
    registry = new Registry(),
  ) {
    const { live = { ok: true }, ready = { ok: true } } = health;
    server = new OperationsServer(
      { port: 0, host: "127.0.0.1" },
      { live: () => live, ready: () => ready },
      registry,
    );
    await server.start();
    const base = `http://127.0.0.1:${server.port}`;
    return (path: string) => fetch(`${base}${path}`);
  }

  it("says that all is well", async () => {
    const get = await started({ ready: { ok: true, details: { partitions: 3 } } });
    const live = await get("/livez");
    expect([live.status, await live.json()]).toEqual([200, { status: "ok" }]);
    const ready = await get("/readyz?verbose");
    expect([ready.status, await ready.json()]).toEqual([200, { status: "ok", partitions: 3 }]);
    expect(ready.headers.get("content-type")).toBe("application/json");
    expect(ready.headers.get("cache-control")).toBe("no-store");
  });

  it("says why it is not ready, though it lives", async () => {
    const get = await started({ ready: { ok: false, reason: "stopping", details: { lanes: 0 } } });
    expect((await get("/livez")).status).toBe(200);
    const ready = await get("/readyz");
    expect([ready.status, await ready.json()]).toEqual([
      503,
      { status: "unavailable", reason: "stopping", lanes: 0 },
    ]);
  });

  it("says that a new process is needed", async () => {
    const get = await started({ live: { ok: false, reason: "crashed" } });
    expect((await get("/livez")).status).toBe(503);
  });

  it("serves the metrics in Prometheus' text format", async () => {
    const registry = new Registry();
    new Counter({ name: "things_total", help: "Things.", registers: [registry] }).inc(3);
    const get = await started({}, registry);
    const metrics = await get("/metrics");
    expect(metrics.headers.get("content-type")).toContain("text/plain; version=0.0.4");
    expect(await metrics.text()).toContain("things_total 3");
  });

  it("answers 500 when the metrics cannot be collected, and lives on", async () => {
    const registry = new Registry();
    new Counter({
      name: "broken_total",
      help: "Broken.",
      registers: [registry],
      collect: () => {
        throw new Error("cannot be collected");
      },
    });
    const get = await started({}, registry);
    expect((await get("/metrics")).status).toBe(500);
    expect((await get("/livez")).status).toBe(200);
  });

  it("names its paths to whoever asks for another", async () => {
    const get = await started();
    const other = await get("/");
    expect([other.status, await other.text()]).toEqual([404, "Try /livez, /readyz or /metrics.\n"]);
  });

  it("does not start on a port that is taken, and can be stopped all the same", async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => {
      taken.listen(0, "127.0.0.1", resolve);
    });
    const { port } = taken.address() as { port: number };
    const all = { live: () => ({ ok: true }), ready: () => ({ ok: true }) };
    const second = new OperationsServer({ port, host: "127.0.0.1" }, all, new Registry());
    await expect(second.start()).rejects.toMatchObject({ code: "EADDRINUSE" });
    await second.stop();
    await new Promise((resolve) => {
      taken.close(resolve);
    });
  });

  it("stops although a client holds its connection open", async () => {
    const get = await started();
    await (await get("/livez")).text();
    await server?.stop();
    await expect(get("/livez")).rejects.toThrow();
  });
});
