import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, it } from "@jest/globals";
import { waitFor } from "@push-reports/test-support";
import { LoadGenerator } from "../../src/load/load-generator.js";
import type { LoadPlan } from "../../src/load/load-plan.js";
import { reportRequests } from "../../src/load/report-requests.js";
import { USUAL_POPULATION } from "../../src/load/sdk-reports.js";

const REQUESTS = reportRequests(50, USUAL_POPULATION, 1_700_000_000);

describe("The load generator", () => {
  let server: Server | undefined;
  let generator: LoadGenerator | undefined;
  afterEach(() => {
    generator?.stop();
    server?.closeAllConnections();
    server?.close();
  });

  /** @param answer is called with each request once its body is there. */
  async function load(plan: Partial<LoadPlan>, answer: RequestListener): Promise<LoadGenerator> {
    server = createServer((req, res) => {
      req.resume().on("end", () => answer(req, res));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    generator = new LoadGenerator({ ...PLAN, port, ...plan }, REQUESTS);
    await generator.connect();
    generator.start();
    return generator;
  }

  it("counts every answer by its status, over the connections it was given", async () => {
    const sockets = new Set<unknown>();
    let served = 0;
    const running = await load({ connections: 7 }, (req, res) => {
      sockets.add(req.socket);
      served += 1;
      if (served === 900) running.stop();
      res.writeHead(served % 3 === 0 ? 503 : 200).end(served % 2 === 0 ? "a body" : "");
    });
    await waitFor(() => served >= 900, { what: "900 requests" });
    const { answers, unanswered } = running.take();
    expect(sockets.size).toBe(7);
    const answered = (answers["200"] ?? 0) + (answers["503"] ?? 0);
    // What was under way at the stop may have reached the server or not.
    expect(answered).toBeLessThanOrEqual(served);
    expect(answered + unanswered).toBeGreaterThanOrEqual(served);
    expect(unanswered).toBeLessThanOrEqual(7);
    expect(answers["503"]).toBeGreaterThan(250);
  });

  it("reads answers that come in pieces, and sends the next request only after the whole of one", async () => {
    let underWay = 0;
    let most = 0;
    let served = 0;
    const running = await load({ connections: 1 }, (_req, res) => {
      underWay += 1;
      most = Math.max(most, underWay);
      res.socket?.write("HTTP/1.1 200 OK\r\nContent-Le");
      setTimeout(() => res.socket?.write("ngth: 4\r\n\r\nab"), 5);
      setTimeout(() => {
        underWay -= 1;
        served += 1;
        res.socket?.end("cd");
      }, 10);
    });
    await waitFor(() => served >= 3, { what: "three answers in pieces" });
    expect(most).toBe(1);
    await waitFor(() => (running.take().answers["200"] ?? 0) > 0, { what: "a counted answer" });
  });

  it("counts a connection that ends without its answer as a failure, and opens another", async () => {
    let served = 0;
    const running = await load({ connections: 1 }, (req, res) => {
      served += 1;
      if (served === 1) req.socket.destroy();
      else res.end();
    });
    await waitFor(() => served > 5, { what: "requests after the broken connection" });
    const { failures, answers } = running.take();
    expect(failures).toBe(1);
    expect(answers["200"]).toBeGreaterThan(0);
  });

  it("measures from when a request was due: a stall shows as latency and not as fewer requests", async () => {
    let isStalled = true;
    const held: (() => void)[] = [];
    const running = await load({ connections: 2, perSecond: 200 }, (_req, res) => {
      if (isStalled) held.push(() => res.end());
      else res.end();
    });
    const from = performance.now();
    await waitFor(() => performance.now() - from > 400, { what: "400 ms of a stalled server" });
    const during = running.take();
    expect(during.answers).toEqual({});
    // 200 a second have been due meanwhile, though only two could be sent.
    expect(held.length).toBe(2);
    expect(during.unanswered).toBeGreaterThan(60);
    isStalled = false;
    for (const release of held) release();
    await delay(400);
    const after = running.take();
    const due = ((performance.now() - from) * 200) / 1_000;
    // What was due during the stall was sent all the same, and nothing that was not due yet.
    expect(after.latency.total).toBeGreaterThan(during.unanswered);
    expect(after.latency.total).toBeLessThanOrEqual(Math.ceil(due) + 2);
    expect(after.latency.quantile(1)).toBeGreaterThan(350);
  });
});

const PLAN: LoadPlan = {
  port: 0,
  connections: 1,
  perSecond: null,
  warmUpMs: 0,
  windowMs: 0,
  population: USUAL_POPULATION,
  distinct: REQUESTS.length,
  processes: {},
};
