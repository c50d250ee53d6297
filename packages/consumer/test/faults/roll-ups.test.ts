import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "@jest/globals";
import {
  aReceivedReport,
  describeWithContainers,
  sharedClickHouse,
} from "@push-reports/test-support";
import { AnalystDatabase } from "../support/analysts/database.js";
import { rollUpFaults } from "./support/roll-up-faults.js";

/** Ways in which a roll-up can be wrong about one instance. */
const DAMAGES = [
  ["lacks a row", "notifications", "DELETE"],
  ["knows a fact that no report says", "notifications", "UPDATE facts = bitOr(facts, 64)"],
  ["has another delivery", "notifications", "UPDATE first_delivered_at = first_delivered_at + 1"],
  ["lacks the open", "notifications", "UPDATE first_opened_at = NULL"],
  ["lacks a user", "notifications", "UPDATE user_ids = []"],
  ["lacks a row", "publish_activity", "DELETE"],
  ["has another end", "publish_activity", "UPDATE last_received_at = last_received_at + 1"],
  ["lacks a row", "instance_hours", "DELETE"],
  ["lacks what a report says", "instance_hours", "UPDATE opened = delivered"],
].map(([what, table, change]) => ({ what, table, change, instanceId: randomUUID() }));

describeWithContainers("the fault suite's comparison of roll-ups", ["clickhouse"], () => {
  let database: AnalystDatabase;

  const faults = () => rollUpFaults({ clickHouse: database.client, database: database.name });

  beforeAll(async () => {
    database = await AnalystDatabase.create(await sharedClickHouse());
    for (let range = 0; range < 3; range += 1)
      await database.writeRange(
        DAMAGES.flatMap(({ instanceId }) => {
          const about = { instanceId, publishId: "pubid-1", userId: "user-1" };
          const opener = { ...about, deviceId: "web-opener" };
          return [
            aReceivedReport({ ...about, userId: null }),
            aReceivedReport(opener),
            aReceivedReport({ ...opener, event: "open" }),
          ];
        }),
      );
  });
  afterAll(() => database?.close());

  it("finds nothing wrong with what the views made", async () => {
    expect(await faults()).toEqual([]);
  });

  it.each(DAMAGES)("tells that $table $what", async ({ table, change, instanceId }) => {
    await database.alter(`${table} ${change} WHERE instance_id = '${instanceId}'`);

    const about = (await faults()).filter((fault) => fault.includes(instanceId));
    expect(about).not.toEqual([]);
    expect(about.every((fault) => fault.startsWith(`${table} `))).toBe(true);
  });

  it("tells that the ledger lacks a range", async () => {
    await database.alter("ledger DELETE WHERE first = 0");

    expect(await faults()).toContainEqual(expect.stringMatching(/^ingest_gaps has /));
  });
});
