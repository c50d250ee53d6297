import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { CANARY_INSTANCE_ID } from "@push-reports/report";
import {
  aReceivedReport,
  describeWithContainers,
  sharedClickHouse,
} from "@push-reports/test-support";
import fc from "fast-check";
import { answersOf, definedAnswers } from "../support/analysts/answers.js";
import { AnalystDatabase } from "../support/analysts/database.js";
import { histories, live } from "../support/analysts/histories.js";

/** Histories of one run; each asks every view twice about each of its instances. */
const HISTORIES = 4;

describeWithContainers("the analysts' views", ["clickhouse"], () => {
  let database: AnalystDatabase;

  beforeAll(async () => {
    database = await AnalystDatabase.create(await sharedClickHouse());
  });
  afterAll(async () => database.close());

  it("say what the definitions say, whatever the order, repetition and split of the reports, before and after merges", async () => {
    await fc.assert(
      fc.asyncProperty(histories, async (history) => {
        const lived = live(history);
        for (const { reports, times } of lived.ranges) await database.writeRange(reports, times);
        await database.insertPublishes(lived.publishes);
        const defined = lived.instanceIds.map((id) => definedAnswers(lived, id));
        expect(await answersOf(database, lived)).toEqual(defined);
        await database.merge();
        expect(await answersOf(database, lived)).toEqual(defined);
      }),
      { numRuns: HISTORIES, endOnFailure: true },
    );
  });

  it("estimate distinct things within 5 % (three standard errors), and mean them in their names", async () => {
    const instanceId = randomUUID();
    // Ids are counted up, and the sketches hash them: the outcome is the same in every run.
    await database.client.command({
      query: `INSERT INTO ${database.name}.reports
        SELECT reinterpretAsUUID(sipHash128(number + 1)), toDateTime64('2026-05-01 10:00:00', 3, 'UTC') + number / 100,
          '${instanceId}', if(number % 4 = 3, 'open', 'delivery'), concat('pubid-', toString(number % 50)),
          concat('web-', toString(intDiv(number, 2))), toDateTime('2026-05-01 10:00:00', 'UTC'), concat('u-', toString(number % 70000)),
          true, number % 8 < 6, NULL, '', 'estimates', 0, number
        FROM numbers(300000) SETTINGS deduplicate_blocks_in_dependent_materialized_views = 1`,
    });
    const period = {
      received_from: new Date("2026-05-01T10:00:00Z"),
      received_to: new Date("2026-05-01T11:00:00Z"),
    };
    const [hour] = await database.ask("instance_hourly", { instance: instanceId, ...period });
    const exact = {
      delivered_approx: 225_000,
      openable_approx: 187_500,
      opened_approx: 75_000,
      devices_approx: 150_000,
      users_approx: 70_000,
    };
    expect(hour).toMatchObject({
      reports: 300_000,
      delivery_reports: 225_000,
      open_reports: 75_000,
    });
    for (const [column, count] of Object.entries(exact))
      expect(Math.abs(Number(hour?.[column]) / count - 1)).toBeLessThan(0.05);
    const [day] = await database.ask("daily_active_devices_approx", {
      instance: instanceId,
      ...period,
    });
    expect(Math.abs(Number(day?.["devices_approx"]) / 150_000 - 1)).toBeLessThan(0.05);
  });

  it("leave out the operators' own probes", async () => {
    const report = aReceivedReport({ instanceId: CANARY_INSTANCE_ID, userId: "probe" });
    await database.writeRange([report]);
    const period = { received_from: new Date(0), received_to: new Date("2100-01-01T00:00:00Z") };
    const instance = CANARY_INSTANCE_ID;
    for (const view of [
      "publish_summary",
      "time_to_open",
      "instance_hourly",
      "daily_active_devices",
      "client_quality",
    ])
      expect(await database.ask(view, { instance, ...period })).toEqual([]);
    expect(await database.ask("late_reports", { instance, ...period, late_secs: -1e9 })).toEqual(
      [],
    );
    expect(
      await database.ask("user_notifications", { instance, ...period, user: "probe" }),
    ).toEqual([]);
    expect(
      await database.rows(
        `SELECT count() AS n FROM ${database.name}.reports WHERE instance_id = '${instance}'`,
      ),
    ).toEqual([{ n: 1 }]);
  });

  it("say in a comment what they are", async () => {
    const uncommented = await database.rows(
      `SELECT name FROM system.tables WHERE database = '${database.name}' AND engine = 'View' AND length(comment) < 50
       ORDER BY name`,
    );
    expect(uncommented).toEqual([]);
  });
});
