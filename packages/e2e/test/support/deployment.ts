import {
  askClickHouse,
  type ClickHouseEndpoint,
  createTopic,
  freePort,
  sharedClickHouse,
  sharedKafka,
  uniqueName,
} from "@push-reports/test-support";
import { type Program, ServiceProcess } from "./service-process.js";

/** Gateway and consumer as processes of their own, on a topic and a database of their own. */
export class Deployment {
  /** Where the gateway listens, also after it was started anew. */
  readonly url: string;
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

  /** Makes topics and tables; starts no service yet. */
  static async create(): Promise<Deployment> {
    const [kafka, server] = await Promise.all([sharedKafka(), sharedClickHouse()]);
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
      },
    );
    const { code, stderr } = await deployment.#run("migrate", 0).ended;
    if (code !== 0) throw new Error(`migrate ended with ${code}: ${stderr}`);
    return deployment;
  }

  /** Starts one more process of a service and waits until it is ready. */
  async start(program: "gateway" | "consumer"): Promise<ServiceProcess> {
    return this.#run(program, await freePort()).untilReady();
  }

  /** One line of JSON per row of a `SELECT`. */
  async rows<T>(sql: string): Promise<readonly T[]> {
    const lines = await askClickHouse(this.#clickHouse, `${sql} FORMAT JSONEachRow`);
    return lines
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as T);
  }

  /** Ends every process that still runs. */
  async dispose(): Promise<void> {
    await Promise.all(this.#processes.map((process) => process.end("SIGKILL")));
  }

  #run(program: Program, operationsPort: number): ServiceProcess {
    const environment = { ...this.#environment, OPERATIONS_PORT: String(operationsPort) };
    const process = new ServiceProcess(program, environment);
    this.#processes.push(process);
    return process;
  }
}
