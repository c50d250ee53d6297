import { existsSync, openSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ClickHouseEndpoint, startClickHouse } from "./clickhouse-server.js";
import { startKafka } from "./kafka-cluster.js";
import { testRun } from "./test-run.js";
import { waitFor } from "./wait-for.js";

/** How to reach a Kafka. */
export interface KafkaEndpoint {
  /** `host:port` of each broker. */
  readonly brokers: readonly string[];
}

/**
 * The Kafka that all suites of a run share, one broker: the one that `KAFKA_BROKERS_FOR_TESTS` names, else a container that
 * the first suite to ask for it starts. Use topics and groups of your own ({@link uniqueName}); never break it.
 */
export async function sharedKafka(): Promise<KafkaEndpoint> {
  const given = process.env["KAFKA_BROKERS_FOR_TESTS"];
  if (given) return { brokers: given.split(",") };
  return startOnce("kafka", async () => ({ brokers: (await startKafka()).brokers }));
}

/** So many are started at most: a server that does one statement at a time keeps the suites of several workers waiting. */
const CLICKHOUSE_SERVERS = 2;

/**
 * A ClickHouse that suites of a run share, half of Jest's workers each: the one that `CLICKHOUSE_URL_FOR_TESTS` names (user, password and database
 * in it as `http://user:password@host:port/database`), else a container. Use a database of your own; never break it.
 */
export async function sharedClickHouse(): Promise<ClickHouseEndpoint> {
  const given = process.env["CLICKHOUSE_URL_FOR_TESTS"];
  if (given) return endpointOf(new URL(given));
  const server = Number(process.env["JEST_WORKER_ID"] ?? 1) % CLICKHOUSE_SERVERS;
  return startOnce(`clickhouse-${server}`, async () => {
    const { url, user, password, database } = await startClickHouse();
    return { url, user, password, database };
  });
}

function endpointOf(url: URL): ClickHouseEndpoint {
  return {
    url: url.origin,
    user: decodeURIComponent(url.username) || "default",
    password: decodeURIComponent(url.password),
    database: url.pathname.slice(1) || "default",
  };
}

/** How long another worker may take to start a container, ms. */
const START_TIMEOUT_MS = 90_000;

/** Starts a service in whichever worker asks first; the others wait for what it writes into the run's folder. */
async function startOnce<T extends object>(name: string, start: () => Promise<T>): Promise<T> {
  const { folder } = testRun();
  const told = join(folder, `${name}.json`);
  if (!existsSync(told) && isFirst(join(folder, `${name}.lock`))) {
    const answer = await start().catch((error: unknown) => ({ failure: String(error) }));
    writeFileSync(`${told}.new`, JSON.stringify(answer));
    renameSync(`${told}.new`, told);
  }
  await waitFor(() => existsSync(told), { what: `shared ${name}`, timeoutMs: START_TIMEOUT_MS });
  const answer = JSON.parse(readFileSync(told, "utf8")) as T | { readonly failure: string };
  if ("failure" in answer) throw new Error(`The shared ${name} did not start: ${answer.failure}`);
  return answer;
}

function isFirst(lock: string): boolean {
  try {
    openSync(lock, "wx");
    return true;
  } catch {
    return false;
  }
}
