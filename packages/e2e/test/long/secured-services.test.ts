import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "@jest/globals";
import {
  askClickHouse,
  type ClickHouseEndpoint,
  describeWithContainers,
  freePort,
  type KafkaCluster,
  sendReports,
  sharedClickHouse,
  uniqueName,
  waitFor,
} from "@push-reports/test-support";
import { type Admin, Kafka, type KafkaConfig, logLevel } from "kafkajs";
import { type Certificates, makeCertificates } from "../support/certificates.js";
import {
  type Account,
  addScramUser,
  grant,
  type Right,
  startMutualTlsKafka,
  startSaslKafka,
} from "../support/secured-kafka.js";
import { type Program, ServiceProcess } from "../support/service-process.js";
import { startTlsFront, type TlsFront } from "../support/tls-front.js";

const TOPIC = "push-reports";
const DEAD_LETTERS = "push-reports-dead-letters";
const GROUP = "push-reports";
const REPORTS = 500;

const GATEWAY: Account = { username: "gateway", password: "gateway-password" };
const CONSUMER: Account = { username: "consumer", password: "consumer-password" };
const STRANGER: Account = { username: "stranger", password: "stranger-password" };
/** May read what topics there are, and write to none. */
const ONLOOKER: Account = { username: "onlooker", password: "onlooker-password" };
const ADMIN: Account = { username: "admin", password: "admin-password" };

const ACCOUNTS: Readonly<Record<string, Account>> = { gateway: GATEWAY, consumer: CONSUMER };
const NAMES: Readonly<Record<string, string>> = {
  KAFKA_TOPIC: TOPIC,
  KAFKA_DEAD_LETTER_TOPIC: DEAD_LETTERS,
  KAFKA_GROUP_ID: GROUP,
};

/** What SECURITY.md says that each service needs. */
function documentedRights(): readonly Right[] {
  const text = readFileSync(new URL("../../../../SECURITY.md", import.meta.url), "utf8");
  const rows = text.matchAll(/^\| (\w+) \| (topic|group) `(\w+)` \| ([\w, ]+) \|$/gm);
  return [...rows].map(([, service = "", of, variable = "", operations = ""]) => ({
    to: ACCOUNTS[service] ?? STRANGER,
    of: of as Right["of"],
    name: NAMES[variable] ?? variable,
    operations: operations.toLowerCase().split(", ") as unknown as Right["operations"],
  }));
}

const createTopics = (admin: Admin) =>
  admin.createTopics({
    waitForLeaders: true,
    topics: [{ topic: TOPIC, numPartitions: 3 }, { topic: DEAD_LETTERS }],
  });

type Environment = Readonly<Record<string, string>>;

const sasl = (mechanism: string, { username, password }: Account): Environment => ({
  KAFKA_SASL_MECHANISM: mechanism,
  KAFKA_SASL_USERNAME: username,
  KAFKA_SASL_PASSWORD: password,
});

const without = (name: string, environment: Environment): Environment =>
  Object.fromEntries(Object.entries(environment).filter(([key]) => key !== name));

describeWithContainers("services over TLS", ["kafka", "clickhouse"], () => {
  let certificates: Certificates;
  let plainClickHouse: ClickHouseEndpoint;
  let clickHouse: TlsFront;
  let trusted: Environment;
  const clusters: KafkaCluster[] = [];
  const processes: ServiceProcess[] = [];

  beforeAll(async () => {
    [certificates, plainClickHouse] = await Promise.all([makeCertificates(), sharedClickHouse()]);
    clickHouse = await startTlsFront(plainClickHouse.url, certificates.server);
    const ca = certificates.file("authority.pem", certificates.authority.cert);
    trusted = { KAFKA_SSL: "true", KAFKA_SSL_CA_FILE: ca, CLICKHOUSE_CA_FILE: ca };
  });
  afterAll(async () => {
    await Promise.all(processes.map((process) => process.end("SIGKILL")));
    await Promise.all(clusters.map((cluster) => cluster.stop()));
    await clickHouse.close();
    certificates.remove();
  });

  const run = async (program: Program, environment: Environment) => {
    const operationsPort = String(await freePort());
    const process = new ServiceProcess(program, {
      OPERATIONS_PORT: operationsPort,
      ...environment,
    });
    processes.push(process);
    return process;
  };
  /** Does something as somebody who may do everything. */
  const withAdmin = async (config: KafkaConfig, act: (admin: Admin) => Promise<unknown>) => {
    const ssl = { ca: certificates.authority.cert, ...(config.ssl as object | undefined) };
    const admin = new Kafka({ ...config, ssl, logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    try {
      await act(admin);
    } finally {
      await admin.disconnect();
    }
  };
  /** What every process of one deployment knows. */
  const environmentOf = async (kafka: KafkaCluster): Promise<Environment> => ({
    ...trusted,
    HTTP_PORT: String(await freePort()),
    KAFKA_BROKERS: kafka.brokers.join(","),
    KAFKA_SOURCE: "secured.1",
    CLICKHOUSE_URL: clickHouse.url,
    CLICKHOUSE_USER: plainClickHouse.user,
    CLICKHOUSE_PASSWORD: plainClickHouse.password,
    CLICKHOUSE_DATABASE: uniqueName("secured"),
    RETENTION_MONTHS: "600",
    SHUTDOWN_DELAY_MS: "200",
  });
  /** Sends reports through gateway and consumer, which differ in who they are, and expects one row of each. */
  const expectRows = async (of: Environment, gateway: Environment, consumer: Environment) => {
    const migrated = await (await run("migrate", of)).ended;
    expect(migrated).toMatchObject({ code: 0 });
    const [first, second] = await Promise.all([
      run("gateway", { ...of, ...gateway }),
      run("consumer", { ...of, ...consumer }),
    ]);
    await Promise.all([first.untilReady(), second.untilReady()]);
    await waitFor(async () => (await first.readiness())["queue"] === "taking records", {
      what: "the gateway to take records",
    });
    const url = `http://127.0.0.1:${of["HTTP_PORT"]}`;
    const { reports } = await sendReports({ url, count: REPORTS, connections: 8 });
    expect(reports.map(({ status }) => status)).toEqual(Array(REPORTS).fill(200));
    const count = `SELECT count(), uniqExact(report_id) FROM ${of["CLICKHOUSE_DATABASE"]}.reports FORMAT TSV`;
    await waitFor(
      async () => (await askClickHouse(plainClickHouse, count)).trim() === `${REPORTS}\t${REPORTS}`,
      { what: "a row of each report", timeoutMs: 60_000 },
    ).catch((cause: unknown) => {
      throw new Error(`There is none. The consumer wrote:\n${second.stdout}`, { cause });
    });
    expect((await first.end("SIGTERM")).code).toBe(0);
    expect((await second.end("SIGTERM")).code).toBe(0);
  };
  /** A gateway that says what is wrong with its Kafka, in readiness and in one line of the log, and refuses. */
  const expectGatewaySays = async (problem: RegExp, environment: Environment) => {
    const port = String(await freePort());
    const gateway = await (await run("gateway", { ...environment, HTTP_PORT: port })).untilReady();
    await waitFor(async () => problem.test(String((await gateway.readiness())["kafka"])), {
      what: `readiness to say ${problem}`,
      timeoutMs: 30_000,
    }).catch(async (cause: unknown) => {
      const said = JSON.stringify(await gateway.readiness());
      throw new Error(`It said ${said}. The gateway wrote:\n${gateway.stdout}`, { cause });
    });
    const url = `http://127.0.0.1:${port}`;
    const { reports } = await sendReports({ url, count: 1, connections: 1 });
    expect(reports).toMatchObject([{ status: 503 }]);
    const { code, stdout } = await gateway.end("SIGTERM");
    expect(code).toBe(0);
    const told = stdout
      .split("\n")
      .filter((line) => line.includes('"kafka_misconfigured"'))
      .map((line) => (JSON.parse(line) as { reason: string }).reason);
    expect(told).toContainEqual(expect.stringMatching(problem));
    expect(new Set(told).size).toBe(told.length);
  };
  const expectConsumerSays = async (problem: RegExp, environment: Environment) => {
    const consumer = await run("consumer", environment);
    await waitFor(async () => problem.test(JSON.stringify(await consumer.readiness())), {
      what: `readiness to say ${problem}`,
      timeoutMs: 30_000,
    }).catch((cause: unknown) => {
      throw new Error(`It did not. The consumer wrote:\n${consumer.stdout}`, { cause });
    });
    expect((await consumer.end("SIGTERM")).code).toBe(0);
  };

  it("take reports from users who authenticate, each with no more rights than documented", async () => {
    const kafka = await startSaslKafka(certificates, ADMIN);
    clusters.push(kafka);
    await addScramUser(kafka, "SCRAM-SHA-512", GATEWAY);
    await addScramUser(kafka, "SCRAM-SHA-256", CONSUMER);
    await addScramUser(kafka, "SCRAM-SHA-512", STRANGER);
    await addScramUser(kafka, "SCRAM-SHA-512", ONLOOKER);
    await withAdmin(
      { brokers: [...kafka.brokers], sasl: { mechanism: "plain", ...ADMIN } },
      async (admin) => {
        await createTopics(admin);
        await grant(admin, [
          ...documentedRights(),
          { to: ONLOOKER, of: "topic", name: TOPIC, operations: ["describe"] },
        ]);
      },
    );
    const of = await environmentOf(kafka);
    await expectRows(of, sasl("scram-sha-512", GATEWAY), sasl("scram-sha-256", CONSUMER));

    const as = (account: Account) => ({ ...of, ...sasl("scram-sha-512", account) });
    const wrong = as({ ...GATEWAY, password: "wrong" });
    await Promise.all([
      expectGatewaySays(/user or password is wrong/, wrong),
      expectGatewaySays(/no right to the topic/, as(STRANGER)),
      expectGatewaySays(/no right to write to the topic/, as(ONLOOKER)),
      expectConsumerSays(/user or password is wrong/, wrong),
      expectConsumerSays(/no right to the topic/, as(STRANGER)),
    ]);
  });

  it("take reports over a listener that demands a client's certificate", async () => {
    const kafka = await startMutualTlsKafka(certificates);
    clusters.push(kafka);
    const { cert, key } = certificates.client;
    await withAdmin({ brokers: [...kafka.brokers], ssl: { cert, key } }, createTopics);
    const of = await environmentOf(kafka);
    const mine = {
      KAFKA_SSL_CERT_FILE: certificates.file("client.pem", certificates.client.cert),
      KAFKA_SSL_KEY_FILE: certificates.file("client.key", certificates.client.key),
    };
    await expectRows(of, mine, mine);

    const theirs = {
      KAFKA_SSL_CERT_FILE: certificates.file("stranger.pem", certificates.stranger.cert),
      KAFKA_SSL_KEY_FILE: certificates.file("stranger.key", certificates.stranger.key),
    };
    const notTrusting = without("KAFKA_SSL_CA_FILE", { ...of, ...mine });
    const notTrustingClickHouse = without("CLICKHOUSE_CA_FILE", { ...of, ...mine });
    await Promise.all([
      expectGatewaySays(/demands a client certificate/, of),
      expectGatewaySays(/do not trust the client certificate/, { ...of, ...theirs }),
      expectGatewaySays(/not trusted: KAFKA_SSL_CA_FILE/, notTrusting),
      expectConsumerSays(/not trusted: KAFKA_SSL_CA_FILE/, notTrusting),
      expectConsumerSays(/not trusted: CLICKHOUSE_CA_FILE/, notTrustingClickHouse),
    ]);
  });
});
