import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import {
  CONFORMANCE_CASES,
  freePort,
  sendConformanceCase,
  sendReports,
  sendWireCase,
  WIRE_CASES,
} from "@push-reports/test-support";
import { InMemoryReportPublisher } from "../fakes/in-memory-report-publisher.js";
import { HaProxy, hasProxy } from "../support/ha-proxy.js";
import { startGateway, type TestGateway } from "../support/start-gateway.js";

const REPORTS = 200;
const CONNECTIONS = 8;
const NAME = "the proxy of docker-compose.yml";

if (!hasProxy()) console.warn(`NOT VERIFIED: ${NAME} (haproxy is not installed)`);

(hasProxy() ? describe : describe.skip)(NAME, () => {
  const publisher = new InMemoryReportPublisher();
  let gateway: TestGateway;

  beforeAll(async () => {
    gateway = await startGateway(publisher);
  });
  afterAll(() => gateway.stop());

  const withProxy = async <T>(ports: readonly number[], use: (url: string) => Promise<T>) => {
    const proxy = await HaProxy.start(ports);
    try {
      return await use(proxy.baseUrl);
    } finally {
      await proxy.stop();
    }
  };

  it("changes no answer: neither a status nor a header nor a body is its own", async () => {
    await withProxy([gateway.port], async (url) => {
      for (const conformanceCase of CONFORMANCE_CASES)
        expect({
          name: conformanceCase.name,
          ...(await sendConformanceCase(url, conformanceCase)),
        }).toMatchObject(conformanceCase.answer);
      for (const wireCase of WIRE_CASES)
        expect(await sendWireCase(url, wireCase)).toMatchObject(wireCase.answers);
    });
  });

  it("passes a gateway over that refuses connections", async () => {
    const load = await withProxy([await freePort(), gateway.port], (url) =>
      sendReports({ url, count: REPORTS, connections: CONNECTIONS }),
    );

    expect(load.reports.filter(({ status }) => status !== 200)).toEqual([]);
  });

  it("sends no report twice when a gateway dies with it", async () => {
    const before = publisher.records.length;
    const dying = await startDyingServer();

    const load = await withProxy([dying.port, gateway.port], (url) =>
      sendReports({ url, count: REPORTS, connections: CONNECTIONS }),
    );
    await dying.stop();

    const answered = load.reports.filter(({ status }) => status === 200);
    expect(dying.requests()).toBeGreaterThan(0);
    expect(answered.length + dying.requests()).toBe(REPORTS);
    expect(publisher.records.length - before).toBe(answered.length);
  });
});

/** Takes each request whole, and then its connection is gone. */
async function startDyingServer() {
  let requests = 0;
  const server: Server = createServer((request) => {
    request.resume().on("end", () => {
      requests += 1;
      request.socket.destroy();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    requests: () => requests,
    stop: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
