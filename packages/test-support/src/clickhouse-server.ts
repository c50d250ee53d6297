import { ControlledContainer } from "./controlled-container.js";
import { freePort } from "./free-port.js";
import { patiently } from "./patience.js";
import { testRun } from "./test-run.js";
import { waitFor } from "./wait-for.js";

/** The image that compose and the tests run. */
export const CLICKHOUSE_IMAGE = "clickhouse/clickhouse-server:26.7";
const HTTP_PORT = 8123;
const START_TIMEOUT_MS = 60_000;

/** How to reach a ClickHouse. */
export interface ClickHouseEndpoint {
  readonly url: string;
  readonly user: string;
  readonly password: string;
  /** A database that exists. */
  readonly database: string;
}

/** What a test asks of its own ClickHouse. */
export interface ClickHouseServerOptions {
  /** @default "reports" */
  readonly database?: string;
  /** @default "tester" */
  readonly user?: string;
  /** @default "tester-password" */
  readonly password?: string;
  /** A Docker network to be in, so that it reaches what is there, e.g. {@link KafkaCluster.network}. */
  readonly network?: string;
}

/** A ClickHouse of a test's own. */
export interface ClickHouseServer extends ClickHouseEndpoint {
  /** The server's process, as this machine counts processes. */
  pid(): Promise<number>;
  pause(): Promise<void>;
  unpause(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** SIGTERM; resolves once it is gone. */
  shutDown(): Promise<void>;
  /** Brings it back under the same port with its data, and waits until it answers. */
  restart(): Promise<void>;
  /** Removes the container and its data. */
  stop(): Promise<void>;
}

/** Starts a ClickHouse server in a container on a free port of 127.0.0.1; about a second. */
export async function startClickHouse(
  options: ClickHouseServerOptions = {},
): Promise<ClickHouseServer> {
  const account = {
    database: options.database ?? "reports",
    user: options.user ?? "tester",
    password: options.password ?? "tester-password",
  };
  // Most suites that import this module start no container, and the package is slow to load.
  const { GenericContainer, Wait } = await import("testcontainers");
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const image = new GenericContainer(CLICKHOUSE_IMAGE);
  if (options.network !== undefined) image.withNetworkMode(options.network);
  const started = await image
    .withLabels({ ...testRun().labels })
    .withExposedPorts({ container: HTTP_PORT, host: port })
    .withEnvironment({
      CLICKHOUSE_DB: account.database,
      CLICKHOUSE_USER: account.user,
      CLICKHOUSE_PASSWORD: account.password,
    })
    .withWaitStrategy(Wait.forHttp("/ping", HTTP_PORT))
    .withStartupTimeout(patiently(START_TIMEOUT_MS))
    .start();
  const container = new ControlledContainer(started, () => untilAnswering(url));
  await untilAnswering(url);
  return {
    url,
    ...account,
    pid: () => container.pid(),
    pause: () => container.pause(),
    unpause: () => container.unpause(),
    kill: () => container.kill(),
    shutDown: () => container.shutDown(),
    restart: () => container.restart(),
    stop: () => container.stop(),
  };
}

async function untilAnswering(url: string): Promise<void> {
  await waitFor(
    async () => (await fetch(`${url}/ping`, { signal: AbortSignal.timeout(1_000) })).ok,
    { what: `ClickHouse to answer at ${url}`, timeoutMs: START_TIMEOUT_MS },
  );
}
