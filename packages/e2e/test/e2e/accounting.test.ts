import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import {
  createTopic,
  describeWithContainers,
  freePort,
  type KafkaCluster,
  startKafka,
  waitFor,
} from "@push-reports/test-support";
import { COUNTED_INSTANCE_ID, CountedGateway } from "../support/counted-gateway.js";
import { type MixedLoad, sendMixedLoad } from "../support/mixed-load.js";
import { type Sample, sampleOf, scrapeMetrics, valuesBy } from "../support/scrape-metrics.js";
import { StandaloneDeployment } from "../support/standalone-deployment.js";

/** A longer run is for who wants one. */
const REQUESTS = Number(process.env["MIXED_REQUESTS"] ?? 30_000);
const PREFIX = "push_reports_gateway";

describe(`The accounts of ${REQUESTS} mixed requests, some of them aborted`, () => {
  const instanceId = randomUUID();
  let standalone: StandaloneDeployment;
  let load: MixedLoad;
  let samples: readonly Sample[];
  let outcomes: Readonly<Record<string, number>>;

  beforeAll(async () => {
    standalone = await StandaloneDeployment.start();
    load = await sendMixedLoad({
      port: Number(new URL(standalone.url).port),
      instanceId,
      count: REQUESTS,
      connections: 100,
    });
    await waitFor(
      async () => {
        samples = await scrapeMetrics(`${standalone.operationsUrl}/metrics`);
        return sampleOf(samples, `${PREFIX}_in_flight_requests`) === 0;
      },
      { what: "the last requests to end", timeoutMs: 30_000 },
    );
    outcomes = valuesBy(samples, `${PREFIX}_outcomes_total`, "outcome");
  }, 600_000);
  afterAll(() => standalone?.dispose());

  it("have one outcome for each request", () => {
    const ended = Object.values(outcomes).reduce((sum, count) => sum + count, 0);
    expect(ended).toBe(sampleOf(samples, `${PREFIX}_requests_total`));
    expect(ended).toBeLessThanOrEqual(REQUESTS);
    expect(ended).toBeGreaterThanOrEqual(
      REQUESTS -
        load.sent["leaves in the middle of its body"] -
        load.sent["resets in the middle of its body"] -
        load.sent["leaves after its body"],
    );
  });

  it("name the outcome that each client saw", () => {
    expect(load.unexpected).toEqual([]);
    const { sent } = load;
    const exact = Object.entries(sent).filter(
      ([name]) => name in outcomes && name !== "unreadable_request",
    );
    expect(exact.length).toBeGreaterThan(5);
    expect(exact.map(([name]) => [name, outcomes[name]])).toEqual(exact);
    // Half a body and a closed connection: the client may listen still, so it is answered, unless it has reset the connection.
    const halves = (outcomes["unreadable_request"] ?? 0) - sent.unreadable_request;
    expect(halves).toBeGreaterThan(0);
    expect(outcomes["aborted"]).toBeGreaterThan(0);
    expect(halves + (outcomes["aborted"] ?? 0)).toBeLessThanOrEqual(
      sent["leaves in the middle of its body"] + sent["resets in the middle of its body"],
    );
    expect(outcomes["published"]).toBeGreaterThanOrEqual(load.answers["200"] ?? Number.NaN);
    expect(outcomes["published"]).toBeLessThanOrEqual(
      load.sent.good + load.sent["leaves after its body"],
    );
  });

  it("say how many rows there are", async () => {
    const count = async () => {
      const [row] = await standalone.rows<{ n: number | string }>(
        `SELECT count() AS n FROM ${standalone.reports} WHERE instance_id = '${instanceId}'`,
      );
      return Number(row?.n);
    };
    await waitFor(async () => (await count()) === outcomes["published"], {
      what: "the last rows",
      timeoutMs: 60_000,
    });
  });
});

const FAILING_ENCODER = fileURLToPath(new URL("../fixtures/failing-encoder.mjs", import.meta.url));
/** How long a client may take for a request, ms. */
const PATIENCE_MS = "1000";

describeWithContainers("The accounts of gateways in all kinds of trouble", ["docker"], () => {
  let kafka: KafkaCluster;
  let folder: string;
  const gateways: CountedGateway[] = [];
  const start = async (environment: Readonly<Record<string, string>>) => {
    const gateway = await CountedGateway.start(environment);
    gateways.push(gateway);
    return gateway;
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "accounting-"));
    kafka = await startKafka();
  });
  afterAll(async () => {
    await Promise.all(gateways.map((gateway) => gateway.dispose()));
    await kafka?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it("have one outcome for each request, and every outcome that there is", async () => {
    const nowhere = { KAFKA_BROKERS: `127.0.0.1:${await freePort()}` };
    const topic = await createTopic(kafka, { topic: "accounting", partitions: 2 });
    const impatient = {
      ...nowhere,
      INSTANCE_IDS: COUNTED_INSTANCE_ID,
      HEADERS_TIMEOUT_MS: PATIENCE_MS,
      REQUEST_TIMEOUT_MS: PATIENCE_MS,
    };
    const [good, spilling, crowded, crowdedByOne] = await Promise.all([
      start({
        KAFKA_BROKERS: kafka.brokers.join(","),
        KAFKA_TOPIC: topic,
        NODE_OPTIONS: `--import=${FAILING_ENCODER}`,
      }),
      start({ ...nowhere, SPILL_DIR: folder, SPILL_MAX_BYTES: "1048576" }),
      start({ ...impatient, MAX_IN_FLIGHT_REQUESTS: "1" }),
      start({ ...impatient, MAX_IN_FLIGHT_PER_CLIENT: "1" }),
    ]);

    const all = await Promise.all([
      accountsOfGood(good, kafka),
      accountsOfSpilling(spilling),
      accountsOfCrowded(crowded, "busy"),
      accountsOfCrowded(crowdedByOne, "busy_client"),
    ]);

    for (const { outcomes, requests } of all)
      expect(Object.values(outcomes).reduce((sum, count) => sum + count, 0)).toBe(requests);
    const known = Object.keys(all[0].outcomes);
    expect(known.length).toBeGreaterThan(10);
    const isReached = (outcome: string) =>
      all.some(({ outcomes }) => Number(outcomes[outcome]) > 0);
    expect(known.filter((outcome) => !isReached(outcome))).toEqual([]);
  });
});

/** What clients send, one who leaves, a fault of the gateway's own, and a report while Kafka hangs. */
async function accountsOfGood(gateway: CountedGateway, kafka: KafkaCluster) {
  const mixed = { port: gateway.port, instanceId: randomUUID(), count: 3_000, connections: 20 };
  expect((await sendMixedLoad(mixed)).unexpected).toEqual([]);
  const before = await gateway.settled();
  (await gateway.begin()).reset();
  expect(await gateway.send("web-internal-error")).toBe(500);
  await kafka.pause(0);
  expect(await gateway.send()).toBe(503);
  await kafka.unpause(0);
  const aborted = Number(before.outcomes["aborted"]) + 1;
  const accounts = await gateway.settled({ aborted, internal_error: 1, timeout: 1 });
  expect(accounts.requests).toBe(before.requests + gateway.sent);
  return accounts;
}

/** Reports that are kept on disk until that is full, and half a one when the gateway is told to stop. */
async function accountsOfSpilling(gateway: CountedGateway) {
  const statuses = new Set<number>();
  while (!statuses.has(503))
    for (const status of await Promise.all(Array.from({ length: 16 }, () => gateway.send())))
      statuses.add(status);
  expect(statuses).toEqual(new Set([200, 503]));
  const half = await gateway.begin();
  const ended = gateway.stop();
  const accounts = await gateway.settled({ stopping: 1 });
  expect(await half.answer).toContain(" 503 ");
  expect(await ended).toMatchObject({ code: 0 });
  expect(accounts.requests).toBe(gateway.sent);
  return accounts;
}

/** One request at a time without Kafka and without a disk, one of them too slow. @param busy outcome of a second one. */
async function accountsOfCrowded(gateway: CountedGateway, busy: string) {
  expect(await gateway.send("web-counted", randomUUID())).toBe(400);
  expect(await gateway.send()).toBe(503);
  const slow = await gateway.begin();
  expect(await gateway.send()).toBe(503);
  expect(await slow.answer).toContain(" 503 ");
  const once = { unknown_instance: 1, unavailable: 1, [busy]: 1, request_timeout: 1 };
  const accounts = await gateway.settled(once);
  expect(accounts.requests).toBe(gateway.sent);
  return accounts;
}
