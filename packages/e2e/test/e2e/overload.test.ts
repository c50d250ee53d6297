import { randomUUID } from "node:crypto";
import { Agent, request } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, it } from "@jest/globals";
import {
  describeWithContainers,
  freePort,
  type SentReport,
  sendReports,
  waitFor,
} from "@push-reports/test-support";
import { Deployment } from "../support/deployment.js";
import { expectExactlyOnce } from "../support/exactly-once.js";
import { sampleOf, scrapeMetrics, valuesBy } from "../support/scrape-metrics.js";
import { ServiceProcess } from "../support/service-process.js";
import { SlowClients } from "../support/slow-clients.js";
import { StandaloneDeployment } from "../support/standalone-deployment.js";

const BOUND = 20;
const CONNECTIONS = 300;
const REPORTS = 5_000;
const PATH = `/reporting_api/v2/instances/${randomUUID()}/events`;

describe("A gateway that gets more than it can take", () => {
  let standalone: StandaloneDeployment | undefined;
  let slow: SlowClients | undefined;
  afterEach(async () => {
    slow?.dispose();
    await standalone?.dispose();
  });

  it("refuses the rest with 503 and Retry-After, keeps what it accepts, and then takes all again", async () => {
    standalone = await StandaloneDeployment.start({ MAX_IN_FLIGHT_REQUESTS: String(BOUND) });
    const { url, operationsUrl } = standalone;
    const load = await sendAll(url);
    const refused = expectRefusals(load.reports);
    // Spread, so that the refused do not come back together.
    expect(new Set(refused.map(({ retryAfterSecs }) => retryAfterSecs)).size).toBeGreaterThan(1);

    const after = await sendReports({ url, count: 500, connections: BOUND });
    expect(after.reports.filter(({ status }) => status !== 200)).toEqual([]);
    await expectExactlyOnce(load, standalone.rows.bind(standalone));
    const samples = await scrapeMetrics(`${operationsUrl}/metrics`);
    const outcomes = valuesBy(samples, "push_reports_gateway_outcomes_total", "outcome");
    expect(outcomes["busy"]).toBe(refused.length);
    expect(outcomes["published"]).toBe(REPORTS - refused.length + 500);
    expect(sampleOf(samples, "push_reports_gateway_in_flight_requests")).toBe(0);
  });

  it("serves good clients beside 5,000 slow or idle ones", async () => {
    standalone = await StandaloneDeployment.start({
      HEADERS_TIMEOUT_MS: "600000",
      REQUEST_TIMEOUT_MS: "600000",
    });
    const path = `/reporting_api/v2/instances/${randomUUID()}/events`;
    slow = await SlowClients.open(Number(new URL(standalone.url).port), path, 5_000);
    const { reports } = await sendReports({ url: standalone.url, count: 500, connections: 50 });
    expect(reports.filter(({ status }) => status !== 200)).toEqual([]);
    expect(slow.open).toBe(5_000);
  });
});

describe("A gateway that may open few files", () => {
  const FILES = 600;
  let gateway: ServiceProcess | undefined;
  let slow: SlowClients | undefined;
  afterEach(async () => {
    slow?.dispose();
    await gateway?.end("SIGTERM");
  });

  it("answers 503 on a connection too many, says why there are so few, and recovers", async () => {
    const [port, operationsPort] = [await freePort(), await freePort()];
    gateway = await new ServiceProcess(
      "gateway",
      {
        HTTP_PORT: String(port),
        OPERATIONS_PORT: String(operationsPort),
        KAFKA_BROKERS: `127.0.0.1:${await freePort()}`,
        MAX_IN_FLIGHT_REQUESTS: "100000",
        HEADERS_TIMEOUT_MS: "600000",
        REQUEST_TIMEOUT_MS: "600000",
        SHUTDOWN_DELAY_MS: "0",
      },
      ["sh", "-c", `ulimit -n ${FILES} && exec "$@"`, "sh"],
    ).untilReady();
    expect(gateway.stdout).toContain("max_connections_lowered");
    slow = await SlowClients.open(port, PATH, FILES - 200);
    const report = () =>
      fetch(`http://127.0.0.1:${port}${PATH}`, {
        method: "POST",
        headers: { "content-type": "application/json", connection: "close" },
        body: '{"event":"open","publishId":"p","deviceId":"d","timestampSecs":1}',
      });
    const outcomes = async () => {
      const samples = await scrapeMetrics(`http://127.0.0.1:${operationsPort}/metrics`);
      return valuesBy(samples, "push_reports_gateway_outcomes_total", "outcome");
    };
    expect((await report()).status).toBe(503);
    expect((await outcomes())["busy"]).toBeGreaterThan(0);
    slow.dispose();
    // Kafka is away; but the request is taken.
    const isTaken = async () => {
      await report();
      return ((await outcomes())["unavailable"] ?? 0) > 0;
    };
    await waitFor(isTaken, { what: "a report to be taken", timeoutMs: 20_000 });
  });
});

/** What compose gives a gateway; Node.js takes half of a container's memory for its heap. */
const MEMORY_BYTES = 512 * 1024 * 1024;
const HEAP_OPTION = `--max-old-space-size=${MEMORY_BYTES / 2 / 1024 / 1024}`;

describeWithContainers(
  "A gateway of the services under four times its bound",
  ["kafka", "clickhouse"],
  () => {
    let deployment: Deployment | undefined;
    afterEach(() => deployment?.dispose());

    it("stays within its memory, keeps what it accepts, and then takes all again", async () => {
      deployment = await Deployment.create();
      const operationsPort = await freePort();
      await deployment.start("consumer");
      await deployment.start("gateway", {
        environment: {
          MAX_IN_FLIGHT_REQUESTS: String(CONNECTIONS),
          NODE_OPTIONS: HEAP_OPTION,
          OPERATIONS_PORT: String(operationsPort),
        },
      });
      const { url } = deployment;
      const memory = watchMemory(`http://127.0.0.1:${operationsPort}/metrics`);
      const load = await sendAll(url, 4 * CONNECTIONS, 4 * REPORTS);
      expectRefusals(load.reports);
      const after = await sendReports({ url, count: 2_000, connections: CONNECTIONS });
      expect(after.reports.filter(({ status }) => status !== 200)).toEqual([]);
      const { mostBytes, looks } = await memory.end();
      expect(looks).toBeGreaterThan(2);
      expect(mostBytes).toBeLessThan(MEMORY_BYTES);

      const select = deployment.rows.bind(deployment);
      expect(await expectExactlyOnce(load, select)).toBeGreaterThan(0);
      await expectExactlyOnce(after, select);
    });
  },
);

/** Every answer that is no 200 must be a 503 that says when to come back. @returns those. */
function expectRefusals(reports: readonly Answered[]): readonly Answered[] {
  const refused = reports.filter(({ status }) => status !== 200);
  expect(refused.length).toBeGreaterThan(0);
  for (const { status, retryAfterSecs } of refused) {
    expect(status).toBe(503);
    expect(retryAfterSecs).toBeGreaterThanOrEqual(1);
    expect(retryAfterSecs).toBeLessThanOrEqual(8);
  }
  return refused;
}

/** Looks at a process's resident memory until it is told to end. */
function watchMemory(metricsUrl: string) {
  const seen: number[] = [];
  let isEnding = false;
  const look = async () => {
    // A kept connection may be closed by the gateway while this process is busy sending: then another one is tried.
    const samples = await waitFor(() => scrapeMetrics(metricsUrl), { what: "the metrics" });
    seen.push(sampleOf(samples, "process_resident_memory_bytes"));
  };
  const watching = (async () => {
    while (!isEnding) {
      await look();
      await delay(100);
    }
  })();
  return {
    end: async () => {
      isEnding = true;
      await watching;
      await look();
      return { mostBytes: Math.max(...seen), looks: seen.length };
    },
  };
}

interface Answered extends SentReport {
  readonly retryAfterSecs: number;
}

/** Every report at once, over as many connections as there are. */
async function sendAll(url: string, connections = CONNECTIONS, count = REPORTS) {
  const instanceId = randomUUID();
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const reports = await Promise.all(
    Array.from({ length: count }, () =>
      sendOne(`${url}/reporting_api/v2/instances/${instanceId}/events`, agent),
    ),
  );
  agent.destroy();
  return { instanceId, reports };
}

function sendOne(url: string, agent: Agent): Promise<Answered> {
  const deviceId = `web-${randomUUID()}`;
  return new Promise((resolve, reject) => {
    const sending = request(
      url,
      { method: "POST", agent, headers: { "content-type": "application/json" } },
      (answer) => {
        answer.resume().on("end", () =>
          resolve({
            deviceId,
            status: answer.statusCode ?? null,
            endedAt: Date.now(),
            retryAfterSecs: Number(answer.headers["retry-after"]),
          }),
        );
      },
    );
    sending.on("error", reject);
    sending.end(
      JSON.stringify({ event: "open", publishId: "p", deviceId, timestampSecs: 1_700_000_000 }),
    );
  });
}
