import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { encodeReport } from "@push-reports/report";
import { createLogger } from "@push-reports/service-kit";
import {
  aReceivedReport,
  type ClickHouseEndpoint,
  createTopic,
  describeWithContainers,
  sharedClickHouse,
  sharedKafka,
  waitFor,
} from "@push-reports/test-support";
import { fillIn, migrate, readMigrations } from "../../src/migrations.js";
import { SQL_FOLDER } from "../../src/sql-folder.js";
import { ClickHouseProxy } from "../support/clickhouse-proxy.js";
import { Pipeline } from "../support/pipeline.js";

/** Breaks a deployment and tells how to mend it. */
interface Case {
  readonly what: string;
  /** What `/readyz` says. */
  readonly reason: RegExp;
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
const VIEW = "{db}.notifications_of_reports";
const DROP = "DROP COLUMN has_data";
const ADD = "ADD COLUMN has_data Nullable(Bool)";
const VALUES = { retentionMonths: 600, deduplicationWindow: 1_000 };
/** As the runbook says. */
const makeView = async (pipeline: Pipeline) => {
  const { clickHouse, database } = pipeline;
  await run(
    "ALTER TABLE {db}.schema_migrations DELETE WHERE version = 10 SETTINGS mutations_sync = 2",
  )(pipeline);
  const logger = createLogger({ service: "test", level: "silent" });
  await migrate(clickHouse, readMigrations(SQL_FOLDER), { ...VALUES, database }, logger);
};
const makeViewWithout = async (column: string, { clickHouse, database }: Pipeline) => {
  const view = readMigrations(SQL_FOLDER)
    .flatMap(({ statements }) => statements)
    .find((statement) => statement.includes("VIEW IF NOT EXISTS {database}.notifications_of"));
  const query = (view ?? "").replaceAll(column, "CAST(NULL, 'Nullable(Bool)')");
  await clickHouse.command({ query: fillIn(query, { ...VALUES, database }) });
};
/** A column that a view reads cannot be dropped: the view does without it. */
const dropColumn =
  (...tables: readonly string[]) =>
  async (pipeline: Pipeline) => {
    await run(`DROP VIEW ${VIEW}`)(pipeline);
    await makeViewWithout("has_data", pipeline);
    await run(...tables.map((table) => `ALTER TABLE {db}.${table} ${DROP}`))(pipeline);
  };
const addColumn =
  (...tables: readonly string[]) =>
  async (pipeline: Pipeline) => {
    const columns = tables.map((table) => `ALTER TABLE {db}.${table} ${ADD}`);
    await run(...columns, `DROP VIEW ${VIEW}`)(pipeline);
    await makeView(pipeline);
  };
const code = (...codes: readonly number[]) => new RegExp(` with code (${codes.join("|")})$`);

const CASES: readonly Case[] = [
  {
    what: "the table reports is missing",
    reason: code(60),
    breakIt: run("RENAME TABLE {db}.reports TO {db}.away"),
    mendIt: run("RENAME TABLE {db}.away TO {db}.reports"),
  },
  {
    what: "the table reports lacks a column",
    reason: code(117),
    breakIt: dropColumn("reports"),
    mendIt: addColumn("reports"),
  },
  {
    what: "the tables reports and probe lack a column, so that every record seems to be bad",
    reason: code(117),
    breakIt: dropColumn("reports", "probe"),
    mendIt: addColumn("probe", "reports"),
  },
  {
    what: "the table dead_letters is missing",
    reason: code(60),
    breakIt: run("RENAME TABLE {db}.dead_letters TO {db}.away"),
    mendIt: run("RENAME TABLE {db}.away TO {db}.dead_letters"),
  },
  {
    what: "a view on reports fails",
    reason: code(395),
    breakIt: run(
      `CREATE MATERIALIZED VIEW {db}.failing ENGINE = MergeTree ORDER BY tuple() AS
       SELECT throwIf(partition >= 0, 'never') AS nothing FROM {db}.reports`,
    ),
    mendIt: run("DROP TABLE {db}.failing"),
  },
  {
    what: "a view on reports is missing",
    reason: /^The view notifications_of_reports, which fills notifications, is missing$/,
    breakIt: run(`DROP VIEW ${VIEW}`),
    mendIt: makeView,
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
  /** Not ready, for the reason, with one line in the log however often it was tried, and nothing good set aside. */
  const expectLoud = async (consumer: Awaited<ReturnType<Pipeline["launch"]>>, said: RegExp) => {
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
    expect(reason).toMatch(said);
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
    expect(await pipeline.one("count()", "notifications FINAL")).toBe(19);
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
    await expectLoud(consumer, fault.reason);
    await fault.mendIt(pipeline);
    await expectHealed(pipeline, consumer);
  });

  it.concurrent("gives a view what it lacks when it goes while rows are taken and comes back", async () => {
    const pipeline = await aPipeline();
    const consumer = await pipeline.launch();
    await pipeline.untilLedgered(20, consumer.log);
    await run(`DROP VIEW ${VIEW}`)(pipeline);
    await pipeline.produce(
      0,
      Array.from({ length: 7 }, () => encodeReport(aReceivedReport())),
    );
    await waitFor(async () => (await pipeline.one("count()", "reports")) === 26, { what: "rows" });
    await waitFor(async () => (await consumer.health()).status === 503, { what: "no health" });
    expect(await pipeline.one("sum(last - first + 1)", "ledger")).toBe(20);
    // What is mended while the range has no owner is completed all the same.
    expect(await pipeline.stop(consumer)).toMatchObject({ code: 0 });
    await makeView(pipeline);
    const successor = await pipeline.launch();
    await pipeline.untilLedgered(27, successor.log);
    expect(await pipeline.one("count()", "reports")).toBe(26);
    expect(await pipeline.one("count()", "notifications FINAL")).toBe(26);
    await waitFor(async () => (await successor.health()).status === 200, { what: "health" });
  });

  it.concurrent("gives a view what it lacks when it is detached while rows are taken and attached again", async () => {
    const pipeline = await aPipeline();
    const consumer = await pipeline.launch();
    await pipeline.untilLedgered(20, consumer.log);
    await run(`DETACH TABLE ${VIEW}`)(pipeline);
    await pipeline.produce(
      0,
      Array.from({ length: 7 }, () => encodeReport(aReceivedReport())),
    );
    await waitFor(async () => (await pipeline.one("count()", "reports")) === 26, { what: "rows" });
    await waitFor(async () => (await consumer.health()).status === 503, { what: "no health" });
    await run(`ATTACH TABLE ${VIEW}`)(pipeline);
    await pipeline.untilLedgered(27, consumer.log);
    expect(await pipeline.one("count()", "notifications FINAL")).toBe(26);
  });

  it.concurrent("is loud and takes rows all the same when the table freshness is missing", async () => {
    const pipeline = await aPipeline();
    await run("RENAME TABLE {db}.freshness TO {db}.away")(pipeline);
    const consumer = await pipeline.launch({ FRESHNESS_INTERVAL_MS: "500" });
    await pipeline.untilLedgered(20, consumer.log);
    await waitFor(async () => (await consumer.series("misconfigured")) === 1, {
      what: "the metric to say so",
    });
    expect(await consumer.health()).toEqual({
      status: 503,
      reason: "ClickHouse refuses freshness with code 60",
    });
    expect(await consumer.live()).toBe(200);
    expect(consumer.events("misconfigured")).toMatchObject([
      { level: "error", operation: "freshness", clickHouseCode: 60 },
    ]);
    await run("RENAME TABLE {db}.away TO {db}.freshness")(pipeline);
    await expectHealed(pipeline, consumer);
    await waitFor(async () => (await pipeline.one("count()", "ingest_freshness")) === 1, {
      what: "freshness",
    });
  });

  it.concurrent("is loud and loses nothing when the password is wrong", async () => {
    const pipeline = await aPipeline();
    let isWrong = true;
    const proxy = await ClickHouseProxy.start(endpoint.url, () =>
      isWrong ? { headers: { authorization: `Basic ${btoa(`${endpoint.user}:wrong`)}` } } : {},
    );
    try {
      const consumer = await pipeline.launch({ CLICKHOUSE_URL: proxy.url });
      await expectLoud(consumer, code(193, 194, 516));
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
