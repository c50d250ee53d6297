import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "@jest/globals";
import {
  aReceivedReport,
  describeWithContainers,
  sharedClickHouse,
} from "@push-reports/test-support";
import {
  type Chosen,
  fillIn,
  panelQuestions,
  variableQuestions,
} from "../support/analysts/dashboard.js";
import { AnalystDatabase } from "../support/analysts/database.js";

const RUNBOOK = readFileSync(new URL("../../../../docs/runbook.md", import.meta.url), "utf8");
const INSTANCE = "426abfc7-41fe-492f-bcf1-27586fa9bd3f";
/** What an anonymous sender may call a publish. */
const PUBLISH = "pubid-'; DROP TABLE reports -- \\";
const DEVICES = 40;
const MINUTE_MS = 60_000;

describeWithContainers("the analysts' dashboard", ["clickhouse"], () => {
  const start = Date.now() - 3 * 3_600_000;
  let database: AnalystDatabase;
  let chosen: Chosen;

  /** One delivery a device, an open by every other, an hour late from every tenth. */
  const reports = Array.from({ length: DEVICES }, (_, device) => {
    const receivedAt = new Date(start + device * MINUTE_MS);
    const lateMs = device % 10 === 0 ? 90 * MINUTE_MS : 0;
    const occurredMs = receivedAt.getTime() - lateMs;
    const made = {
      publishId: PUBLISH,
      deviceId: `web-${device}`,
      userId: `user-${device}`,
      appInBackground: true,
      hasDisplayableContent: true,
    };
    const delivery = { ...made, receivedAt, timestampSecs: Math.floor(occurredMs / 1_000) };
    const opened = {
      ...delivery,
      event: "open" as const,
      timestampSecs: delivery.timestampSecs + 20 * device,
    };
    return [delivery, ...(device % 2 === 1 ? [opened] : [])].map((report) =>
      aReceivedReport(report),
    );
  }).flat();

  const ask = async (sql: string, zone = "UTC") => {
    const query = fillIn(sql, chosen).replaceAll("push_reports.", `${database.name}.`);
    const settings = `output_format_json_quote_64bit_integers = 0, session_timezone = '${zone}'`;
    const result = await database.client.query({
      query: `${query} SETTINGS ${settings}`,
      format: "JSONEachRow",
    });
    return await result.json<Record<string, unknown>>();
  };
  const questionOf = (panel: string) =>
    panelQuestions.find(({ title }) => title === panel)?.sql ?? panel;

  beforeAll(async () => {
    database = await AnalystDatabase.create(await sharedClickHouse());
    await database.writeRange(reports);
    await database.insertPublishes([
      { instanceId: INSTANCE, publishId: PUBLISH, recipients: 50, title: "Autumn sale" },
    ]);
    await database.client.command({
      query: `INSERT INTO ${database.name}.freshness (source, partition, complete_to, partitions, observed_at)
        VALUES ('${database.source}', 0, now64(3, 'UTC') - 5, 1, now64(3, 'UTC'))`,
    });
    chosen = { from: new Date(start - 86_400_000), to: new Date(), variables: {} };
    for (const { name, sql } of variableQuestions) {
      const [first] = await ask(sql);
      const [value] = Object.values(first ?? {});
      chosen = { ...chosen, variables: { ...chosen.variables, [name]: String(value) } };
    }
  });
  afterAll(async () => database.close());

  it("offers instances and publishes by values that cannot become SQL", () => {
    expect(chosen.variables).toEqual({
      instance: INSTANCE,
      publish: Buffer.from(PUBLISH).toString("hex").toUpperCase(),
    });
  });

  it.each(panelQuestions.map((question) => [question.title, question] as const))(
    "answers: %s",
    async (_, { sql, isTimeSeries }) => {
      const rows = await ask(sql);
      expect(Object.values(rows[0] ?? {}).some((value) => value !== null)).toBe(true);
      if (isTimeSeries)
        expect({
          names: Object.keys(rows[0] ?? {})[0],
          at: Object.values(rows[0] ?? {})[0],
        }).toEqual({
          names: "time",
          at: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d/),
        });
    },
  );

  it.each(["UTC", "America/New_York"])(
    "gives the figures of the reports while the server's time zone is %s",
    async (zone) => {
      expect(await ask(questionOf("Publishes"), zone)).toMatchObject([
        {
          publish: "Autumn sale",
          key: chosen.variables["publish"],
          recipients: 50,
          delivered: DEVICES,
          openable: DEVICES,
          opened: DEVICES / 2,
          open_rate: 0.5,
          acknowledgement_rate: 0.8,
        },
      ]);
      const bars = await ask(questionOf("How soon it was opened"), zone);
      expect(bars[0]).toEqual({ after: "10 s", devices: 1 });
      expect(bars.reduce((sum, { devices }) => sum + Number(devices), 0)).toBe(DEVICES / 2);
      const hours = await ask(questionOf("Notifications by hour"), zone);
      expect(hours.reduce((sum, { delivered }) => sum + Number(delivered), 0)).toBe(DEVICES);
    },
  );

  const statements = [...RUNBOOK.matchAll(/ch "([^"]+)"/g)].map(([, sql]) => sql ?? "");

  it.each(statements)("the runbook's SQL runs: %s", async (sql) => {
    const result = await database.client.query({
      query: sql
        .replaceAll("'push_reports'", `'${database.name}'`)
        .replaceAll(
          /\b(FROM|JOIN) (reports|dead_letters|ledger|data_freshness)\b/g,
          `$1 ${database.name}.$2`,
        ),
      format: "JSONEachRow",
    });
    expect(Array.isArray(await result.json())).toBe(true);
  });
});
