import { type ClickHouseEndpoint, startClickHouse } from "./clickhouse-server.js";
import { startKafka } from "./kafka-cluster.js";
import { startOnce } from "./start-once.js";

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
