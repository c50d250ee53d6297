import {
  askClickHouse,
  type ClickHouseEndpoint,
  createTopic,
  freePort,
  type KafkaEndpoint,
  sharedClickHouse,
  sharedKafka,
  uniqueName,
} from "@push-reports/test-support";
import { type Ended, type Program, ServiceProcess } from "./service-process.js";

/** How a process differs from the usual one. */
export interface StartOptions {
  readonly environment?: Readonly<Record<string, string>>;
  /** A command that runs the rest of its arguments, e.g. one that sets limits first. */
  readonly wrapper?: readonly string[];
  /** Of the program itself. */
  readonly args?: readonly string[];
}

/** Gateway and consumer as processes of their own, on a topic and a database of their own. */
export class Deployment {
  /** Where the gateway listens, also after it was started anew. */
  readonly url: string;
  readonly reports = "reports";
  readonly #clickHouse: ClickHouseEndpoint;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #processes: ServiceProcess[] = [];

  private constructor(
    httpPort: number,
    clickHouse: ClickHouseEndpoint,
    environment: Readonly<Record<string, string>>,
  ) {
    this.url = `http://127.0.0.1:${httpPort}`;
    this.#clickHouse = clickHouse;
    this.#environment = environment;
  }

  /**
   * Makes topics and tables; starts no service yet.
   * @param ownKafka one that the test may break; else the shared one. @param more variables of every process.
   */
  static async create(
    ownKafka?: KafkaEndpoint,
    more: Readonly<Record<string, string>> = {},
  ): Promise<Deployment> {
    const [kafka, server] = await Promise.all([ownKafka ?? sharedKafka(), sharedClickHouse()]);
    const name = uniqueName("e2e");
    const topic = await createTopic(kafka, { topic: name, partitions: 4 });
    const deadLetterTopic = await createTopic(kafka, { topic: `${name}-dead-letters` });
    const httpPort = await freePort();
    const deployment = new Deployment(
      httpPort,
      { ...server, database: name },
      {
        HTTP_PORT: String(httpPort),
        KAFKA_BROKERS: kafka.brokers.join(","),
        KAFKA_TOPIC: topic,
        KAFKA_DEAD_LETTER_TOPIC: deadLetterTopic,
        KAFKA_GROUP_ID: name,
        KAFKA_SOURCE: `kafka.${name}.1`,
        KAFKA_SESSION_TIMEOUT_MS: "1500",
        KAFKA_HEARTBEAT_INTERVAL_MS: "300",
        CLICKHOUSE_URL: server.url,
        CLICKHOUSE_USER: server.user,
        CLICKHOUSE_PASSWORD: server.password,
        CLICKHOUSE_DATABASE: name,
        // The reports are as old as their sample time says; none of them may be deleted while a test looks at them.
        RETENTION_MONTHS: "600",
        SHUTDOWN_DELAY_MS: "200",
        FRESHNESS_INTERVAL_MS: "500",
        ...more,
      },
    );
    const { code, stderr } = await deployment.#run("migrate", 0).ended;
    if (code !== 0) throw new Error(`migrate ended with ${code}: ${stderr}`);
    return deployment;
  }

  /** Starts one more process of a service and waits until it is ready. */
  async start(
    program: "gateway" | "consumer" | "canary",
    options: StartOptions = {},
  ): Promise<ServiceProcess> {
    return this.#run(program, await freePort(), options).untilReady();
  }

  /** Starts one more process and waits until it ends by itself. */
  async runToEnd(program: "gateway" | "drain", options: StartOptions): Promise<Ended> {
    return (await this.begin(program, options)).ended;
  }

  /** Starts one more process and waits for nothing. */
  async begin(
    program: "gateway" | "consumer" | "canary" | "drain",
    options: StartOptions,
  ): Promise<ServiceProcess> {
    return this.#run(program, await freePort(), options);
  }

  /** One line of JSON per row of a `SELECT`. */
  async rows<T>(sql: string): Promise<readonly T[]> {
    const lines = await askClickHouse(this.#clickHouse, `${sql} FORMAT JSONEachRow`);
    return lines
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as T);
  }

  /** Runs a statement that answers nothing. */
  async command(sql: string): Promise<void> {
    await askClickHouse(this.#clickHouse, sql);
  }

  /** What the services know of Kafka and ClickHouse. */
  get settings(): Readonly<Record<string, string>> {
    return this.#environment;
  }

  /** Stops every process that still runs, and gives all that any of them has written. */
  async stop(): Promise<string> {
    const ended = await Promise.all(this.#processes.map((process) => process.end("SIGTERM")));
    return ended.map(({ stdout, stderr }) => stdout + stderr).join("");
  }

  /** Ends every process that still runs. */
  async dispose(): Promise<void> {
    await Promise.all(this.#processes.map((process) => process.end("SIGKILL")));
  }

  #run(program: Program, operationsPort: number, options: StartOptions = {}): ServiceProcess {
    const own = { OPERATIONS_PORT: String(operationsPort), ...options.environment };
    const environment = { ...this.#environment, ...own };
    const process = new ServiceProcess(program, environment, options.wrapper, options.args);
    this.#processes.push(process);
    return process;
  }
}
