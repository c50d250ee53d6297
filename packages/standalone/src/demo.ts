import { Agent, request } from "node:http";
import { type Environment, type Service, systemClock } from "@push-reports/service-kit";
import { CatchingUpClock } from "./demo-clock.js";
import { type DemoReport, demoCampaigns, randomFrom, reportsOf } from "./demo-traffic.js";
import { createStandaloneService, type StartedStandalone } from "./service.js";

/** The traffic that is shown happened in so many hours, and arrives in so many seconds. */
const HOURS = 6;
const SECONDS = 45;
const HOUR_MS = 3_600_000;
/** Where the demo's data is unless DATA_DIR says otherwise: apart from that of `npm start`. */
const DATA_DIR = "./data/demo";
const CONNECTIONS = 32;
const ANSWER_TIMEOUT_MS = 10_000;
const LOOK_MS = 20;

/** A standalone with some hours of believable traffic, which arrives through its HTTP API. @throws ConfigError */
export function createDemoService(
  environment: Environment,
  readFile: (path: string) => string,
  print: (text: string) => void,
): Service {
  const clock = new CatchingUpClock(HOURS * HOUR_MS, SECONDS * 1_000);
  const stopped = new AbortController();
  let traffic: Promise<void> = Promise.resolve();
  const standalone = createStandaloneService({ DATA_DIR, ...environment }, readFile, {
    print,
    receiptClock: clock,
    onStarted: (started) => {
      traffic = new Demo(started, clock, print).run(stopped.signal);
      // A demo that cannot be shown says so; what it runs on goes on.
      traffic.catch((error: unknown) => print(`\nThe demo ended early: ${String(error)}\n`));
    },
  });
  return {
    ...standalone,
    stop: async () => {
      stopped.abort();
      await traffic.catch(() => undefined);
      await standalone.stop();
    },
  };
}

/** Sends the demo's reports when their time comes, by a clock that runs fast. */
class Demo {
  readonly #started: StartedStandalone;
  readonly #clock: CatchingUpClock;
  readonly #print: (text: string) => void;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  #answered = 0;
  #refused = 0;

  constructor(started: StartedStandalone, clock: CatchingUpClock, print: (text: string) => void) {
    this.#started = started;
    this.#clock = clock;
    this.#print = print;
  }

  async run(stopped: AbortSignal): Promise<void> {
    const now = systemClock.now();
    const random = randomFrom(now);
    const campaigns = demoCampaigns(now, HOURS * HOUR_MS, random);
    await this.#nameCampaigns(campaigns);
    const reports = campaigns
      .flatMap((campaign) => reportsOf(campaign, random))
      .filter(({ at }) => at < now + SECONDS * 1_000)
      .sort((a, b) => a.at - b.at);
    this.#clock.start();
    let next = 0;
    const sendNext = async () => {
      for (
        let report = reports[next];
        report !== undefined && !stopped.aborted;
        report = reports[next]
      ) {
        if (report.at > this.#clock.now()) {
          await this.#clock.sleep(LOOK_MS, stopped);
          continue;
        }
        next += 1;
        await this.#send(report);
        if (next % 500 === 0) this.#showProgress(reports.length);
      }
    };
    await Promise.all(Array.from({ length: CONNECTIONS }, sendNext));
    this.#agent.destroy();
    this.#showProgress(reports.length);
    this.#print(
      `\n\n${campaigns.length} campaigns of the last ${HOURS} hours are there: look at the Insights address above. Ctrl-C ends the demo.\n`,
    );
  }

  #showProgress(all: number): void {
    const share = Math.round((100 * (this.#answered + this.#refused)) / all);
    const refused = this.#refused === 0 ? "" : `, ${this.#refused} refused`;
    this.#print(
      `\r  Traffic   ${share} %: ${this.#answered} of ${all} reports answered 200${refused}   `,
    );
  }

  /** Titles and recipients, which no report carries. */
  async #nameCampaigns(campaigns: ReturnType<typeof demoCampaigns>): Promise<void> {
    const { clickHouse, database } = this.#started;
    await clickHouse.insert({
      table: `${database}.publishes`,
      format: "JSONEachRow",
      values: campaigns.map(({ instanceId, publishId, title, recipients }) => ({
        instance_id: instanceId,
        publish_id: publishId,
        title,
        recipients,
      })),
    });
  }

  async #send({ instanceId, headers, body }: DemoReport): Promise<void> {
    const url = new URL(
      `/reporting_api/v2/instances/${instanceId}/events`,
      this.#started.reportingUrl,
    );
    const text = JSON.stringify(body);
    const status = await new Promise<number | null>((resolve) => {
      const sending = request(url, {
        method: "POST",
        agent: this.#agent,
        timeout: ANSWER_TIMEOUT_MS,
        headers: {
          ...headers,
          "content-type": "application/json",
          "content-length": Buffer.byteLength(text),
        },
      });
      sending.on("response", (answer) => {
        answer.resume().on("close", () => resolve(answer.statusCode ?? null));
      });
      sending.on("timeout", () => sending.destroy());
      sending.on("error", () => resolve(null));
      sending.end(text);
    });
    if (status === 200) this.#answered += 1;
    else this.#refused += 1;
  }
}
