import { connect, type Socket } from "node:net";
import { freePort, waitFor } from "@push-reports/test-support";
import { type Sample, sampleOf, scrapeMetrics, valuesBy } from "./scrape-metrics.js";
import { type Ended, ServiceProcess } from "./service-process.js";

const SERIES = "push_reports_gateway";
const PATH = (instanceId: string) => `/reporting_api/v2/instances/${instanceId}/events`;
/** Of every report that {@link CountedGateway} is sent, unless another one is named. */
export const COUNTED_INSTANCE_ID = "426abfc7-41fe-492f-bcf1-27586fa9bd3f";
const bodyOf = (deviceId: string) =>
  JSON.stringify({ event: "open", publishId: "counted", deviceId, timestampSecs: 1 });

/** What a gateway says of its requests. */
interface Accounts {
  readonly requests: number;
  /** Every outcome that it knows. */
  readonly outcomes: Readonly<Record<string, number>>;
}

/** A gateway's process, and how many requests it was sent. */
export class CountedGateway {
  readonly #process: ServiceProcess;
  readonly #metricsUrl: string;
  readonly #sockets: Socket[] = [];
  readonly port: number;
  sent = 0;

  private constructor(process: ServiceProcess, port: number, operationsPort: number) {
    this.#process = process;
    this.port = port;
    this.#metricsUrl = `http://127.0.0.1:${operationsPort}/metrics`;
  }

  static async start(environment: Readonly<Record<string, string>>): Promise<CountedGateway> {
    const [port, operationsPort] = [await freePort(), await freePort()];
    const process = new ServiceProcess("gateway", {
      HTTP_PORT: String(port),
      OPERATIONS_PORT: String(operationsPort),
      SHUTDOWN_DELAY_MS: "0",
      ...environment,
    });
    await process.untilReady();
    return new CountedGateway(process, port, operationsPort);
  }

  /** Sends one report, whole. @returns the status. */
  async send(deviceId = "web-counted", instanceId = COUNTED_INSTANCE_ID): Promise<number> {
    this.sent += 1;
    const answer = await fetch(`http://127.0.0.1:${this.port}${PATH(instanceId)}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: bodyOf(deviceId),
    });
    await answer.arrayBuffer();
    return answer.status;
  }

  /** Begins a report and sends no more of it; resolves once it is under way. Not beside others. */
  async begin(): Promise<{ readonly answer: Promise<string>; readonly reset: () => void }> {
    this.sent += 1;
    const before = sampleOf(await this.#scrape(), `${SERIES}_in_flight_requests`);
    const socket = connect(this.port, "127.0.0.1");
    this.#sockets.push(socket);
    const body = bodyOf("web-half");
    socket.write(
      `POST ${PATH(COUNTED_INSTANCE_ID)} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body.slice(0, 9)}`,
    );
    const answer = new Promise<string>((resolve) => {
      socket.once("data", (bytes: Buffer) => resolve(bytes.toString("latin1")));
      socket.once("error", (error) => resolve(String(error)));
    });
    const isUnderWay = async () =>
      sampleOf(await this.#scrape(), `${SERIES}_in_flight_requests`) > before;
    await waitFor(isUnderWay, { what: "a half-sent request to be under way" });
    return { answer, reset: () => void socket.resetAndDestroy() };
  }

  /** Its accounts once every request that it was sent has ended. @param ended how many have ended in some of the outcomes. */
  async settled(ended: Readonly<Record<string, number>> = {}): Promise<Accounts> {
    return await waitFor(
      async () => {
        const samples = await this.#scrape();
        const outcomes = valuesBy(samples, `${SERIES}_outcomes_total`, "outcome");
        const isOver = Object.entries(ended).every(([name, count]) => outcomes[name] === count);
        return isOver && sampleOf(samples, `${SERIES}_in_flight_requests`) === 0
          ? { outcomes, requests: sampleOf(samples, `${SERIES}_requests_total`) }
          : null;
      },
      { what: "every request to end", timeoutMs: 30_000, intervalMs: 20 },
    );
  }

  /** Tells it to stop, and resolves when it is gone. */
  stop(): Promise<Ended> {
    return this.#process.end("SIGTERM");
  }

  async dispose(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await this.#process.end("SIGKILL");
  }

  #scrape(): Promise<readonly Sample[]> {
    return scrapeMetrics(this.#metricsUrl);
  }
}
