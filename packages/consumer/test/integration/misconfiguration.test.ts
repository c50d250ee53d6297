import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { encodeReport } from "@push-reports/report";
import {
  aReceivedReport,
  type ClickHouseEndpoint,
  createTopic,
  describeWithContainers,
  sharedClickHouse,
  sharedKafka,
  waitFor,
} from "@push-reports/test-support";
import { ClickHouseProxy } from "../support/clickhouse-proxy.js";
import { Pipeline } from "../support/pipeline.js";

/** Breaks a deployment and tells how to mend it. */
interface Case {
  readonly what: string;
  readonly codes: readonly number[];
  readonly breakIt: (pipeline: Pipeline) => Promise<void>;
  readonly mendIt: (pipeline: Pipeline) => Promise<void>;
}

const run =
  (...statements: readonly string[]) =>
  async (pipeline: Pipeline) => {
    for (const statement of statements)
      await pipeline.clickHouse.command({
        query: statement.replaceAll("{db}", pipeline.database),
      });
  };
/** A column that a view reads cannot be dropped. */
const DROP_VIEW = "DROP VIEW {db}.notifications_of_reports";
const DROP = "DROP COLUMN has_data";
const ADD = "ADD COLUMN has_data Nullable(Bool)";

const CASES: readonly Case[] = [
  {
    what: "the table reports is missing",
    codes: [60],
    breakIt: run("RENAME TABLE {db}.reports TO {db}.away"),
    mendIt: run("RENAME TABLE {db}.away TO {db}.reports"),
  },
  {
    what: "the table reports lacks a column",
    codes: [117],
    breakIt: run(DROP_VIEW, `ALTER TABLE {db}.reports ${DROP}`),
    mendIt: run(`ALTER TABLE {db}.reports ${ADD}`),
  },
  {
    what: "the tables reports and probe lack a column, so that every record seems to be bad",
    codes: [117],
    breakIt: run(DROP_VIEW, `ALTER TABLE {db}.reports ${DROP}`, `ALTER TABLE {db}.probe ${DROP}`),
    mendIt: run(`ALTER TABLE {db}.probe ${ADD}`, `ALTER TABLE {db}.reports ${ADD}`),
  },
  {
    what: "the table dead_letters is missing",
    codes: [60],
    breakIt: run("RENAME TABLE {db}.dead_letters TO {db}.away"),
    mendIt: run("RENAME TABLE {db}.away TO {db}.dead_letters"),
  },
  {
    what: "a view on reports fails",
    codes: [395],
    breakIt: run(
      `CREATE MATERIALIZED VIEW {db}.failing ENGINE = MergeTree ORDER BY tuple() AS
       SELECT throwIf(partition >= 0, 'never') AS nothing FROM {db}.reports`,
    ),
    mendIt: run("DROP TABLE {db}.failing"),
  },
];

describeWithContainers("a misconfigured database", ["kafka", "clickhouse"], () => {
  let brokers: readonly string[];
  let endpoint: ClickHouseEndpoint;
  const pipelines: Pipeline[] = [];

  beforeAll(async () => {
    brokers = (await sharedKafka()).brokers;
    endpoint = await sharedClickHouse();
  });
  afterAll(async () => {
    for (const pipeline of pipelines) await pipeline.close();
  });

  /** A topic with 20 records, one of them bad, and what they must become. */
  const aPipeline = async () => {
    const pipeline = await Pipeline.create(brokers, endpoint, 1);
    pipelines.push(pipeline);
    const good = Array.from({ length: 20 }, () => encodeReport(aReceivedReport()));
    await pipeline.produce(0, [...good.slice(1), { value: Buffer.from("no report") }]);
    return pipeline;
  };
  /** Not ready, for one of the codes, with one line in the log however often it was tried, and nothing good set aside. */
  const expectLoud = async (
    consumer: Awaited<ReturnType<Pipeline["launch"]>>,
    codes: readonly number[],
  ) => {
    const retried = async () => {
      const text = await consumer.metrics();
      const counts = [...text.matchAll(/write_retries_total\{[^}]*"misconfigured"\} (\d+)/g)];
      return counts.reduce((sum, [, count]) => sum + Number(count), 0) >= 2;
    };
    await waitFor(retried, { what: "a second attempt", timeoutMs: 60_000 }).catch(
      (cause: unknown) => {
        throw new Error(`There was none. It wrote:\n${consumer.log()}`, { cause });
      },
    );
    const { status, reason } = await consumer.health();
    expect(status).toBe(503);
    expect(codes.some((code) => reason?.endsWith(`with code ${code}`))).toBe(true);
    await waitFor(async () => (await consumer.series("misconfigured")) === 1, {
      what: "the metric to say so",
    });
    expect(await consumer.live()).toBe(200);
    expect(consumer.events("misconfigured")).toHaveLength(1);
    expect(consumer.log()).not.toContain("pubid-");
  };
  const expectHealed = async (
    pipeline: Pipeline,
    consumer: Awaited<ReturnType<Pipeline["launch"]>>,
  ) => {
    await pipeline.untilLedgered(20, consumer.log);
    await waitFor(async () => (await consumer.health()).status === 200, { what: "health" });
    expect(await pipeline.rows()).toEqual(await pipeline.readable());
    expect(await pipeline.one("count()", "dead_letters FINAL")).toBe(1);
    expect(await pipeline.one("count()", "dead_letters")).toBe(1);
    await waitFor(async () => (await consumer.series("misconfigured")) === 0, {
      what: "the metric to be silent",
    });
  };

  it.concurrent.each(CASES)("is loud and loses nothing when $what", async (fault) => {
    const pipeline = await aPipeline();
    await fault.breakIt(pipeline);
    const consumer = await pipeline.launch();
    await expectLoud(consumer, fault.codes);
    await fault.mendIt(pipeline);
    await expectHealed(pipeline, consumer);
  });

  it.concurrent("is loud and loses nothing when the password is wrong", async () => {
    const pipeline = await aPipeline();
    let isWrong = true;
    const proxy = await ClickHouseProxy.start(endpoint.url, () =>
      isWrong ? { headers: { authorization: `Basic ${btoa(`${endpoint.user}:wrong`)}` } } : {},
    );
    try {
      const consumer = await pipeline.launch({ CLICKHOUSE_URL: proxy.url });
      await expectLoud(consumer, [193, 194, 516]);
      isWrong = false;
      await expectHealed(pipeline, consumer);
    } finally {
      await proxy.stop();
    }
  });

  it.concurrent.each([
    { what: "the topic", option: "KAFKA_TOPIC", event: "kafka_misconfigured" },
    { what: "the dead-letter topic", option: "KAFKA_DEAD_LETTER_TOPIC", event: "misconfigured" },
  ])("is loud and loses nothing when $what is missing", async ({ option, event }) => {
    const pipeline = await aPipeline();
    const missing = `${pipeline.name}-missing`;
    const consumer = await pipeline.launch({ [option]: missing });
    await waitFor(async () => (await consumer.series("misconfigured")) === 1, {
      what: "the metric to say so",
      timeoutMs: 60_000,
    });
    expect((await consumer.health()).status).toBe(503);
    expect(await consumer.live()).toBe(200);
    await createTopic({ brokers }, { topic: missing });
    if (option === "KAFKA_DEAD_LETTER_TOPIC") return await expectHealed(pipeline, consumer);
    await waitFor(async () => (await consumer.health()).status === 200, {
      what: "health",
      timeoutMs: 60_000,
    });
    expect(consumer.events(event).length).toBeGreaterThanOrEqual(1);
    expect(consumer.events(event).length).toBeLessThanOrEqual(2);
  });
});
