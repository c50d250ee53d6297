import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { encodeReport } from "@push-reports/report";
import {
  aReceivedReport,
  describeWithContainers,
  sharedClickHouse,
} from "@push-reports/test-support";
import fc from "fast-check";
import { erase, planErasure } from "../../src/erase.js";
import type { ErasureSubject } from "../../src/erasure-subject.js";
import { answersOf, definedAnswers } from "../support/analysts/answers.js";
import { AnalystDatabase } from "../support/analysts/database.js";
import { histories, type LivedHistory, live, USERS } from "../support/analysts/histories.js";

/** Histories of one run. */
const HISTORIES = 3;
const NOTHING = { reports: 0, notifications: 0, deadLetters: 0 };

describeWithContainers("an erasure", ["clickhouse"], () => {
  let database: AnalystDatabase;

  beforeAll(async () => {
    database = await AnalystDatabase.create(await sharedClickHouse());
  });
  afterAll(async () => database.close());

  const claim = { renew: async () => undefined };
  const parts = () => ({
    statements: database.statements,
    database: database.name,
    claim,
    settle: async () => undefined,
  });

  it("leaves every view as if the user or device had never reported, nothing of it in any table, and the ledger's sums true", async () => {
    const subjects = fc.oneof(
      fc.constantFrom(...USERS).map((id) => ({ kind: "user" as const, id })),
      fc.constantFrom("web-1", "3").map((id) => ({ kind: "device" as const, id })),
    );
    await fc.assert(
      fc.asyncProperty(histories, subjects, async (history, who) => {
        const lived = live(history);
        for (const { reports } of lived.ranges) await database.writeRange(reports);
        await database.insertPublishes(lived.publishes);
        const subject: ErasureSubject = { ...who, instanceId: lived.instanceIds[0] as string };

        const { left } = await erase(parts(), subject);

        expect(left).toEqual(NOTHING);
        const without = { ...lived, reports: lived.reports.filter(isNotOf(subject)) };
        const defined = without.instanceIds.map((id) => definedAnswers(without, id));
        expect(await answersOf(database, without)).toEqual(defined);
        expect(await database.discrepancies()).toEqual([]);
      }),
      { numRuns: HISTORIES, endOnFailure: true },
    );
  });

  it("removes dead letters of the subject, readable or not, and keeps those of others", async () => {
    const instanceId = randomUUID();
    const subject: ErasureSubject = { instanceId, kind: "user", id: 'us"er é' };
    const textOf = (userId: string | null, of = instanceId) =>
      encodeReport(aReceivedReport({ instanceId: of, userId })).value.toString();
    await database.setAside([
      textOf(subject.id),
      textOf(subject.id).slice(0, -1),
      `{"instanceId":"${instanceId.toUpperCase()}","userId":${JSON.stringify(subject.id)}}`,
      textOf("another"),
      textOf(subject.id, randomUUID()),
      `cut off: ${subject.id}`,
    ]);

    expect(await planErasure(parts(), subject)).toMatchObject({
      deadLetters: 3,
      unattributable: 1,
    });
    expect(await erase(parts(), subject)).toEqual({
      removed: { ...NOTHING, deadLetters: 3 },
      left: NOTHING,
    });
    expect(
      await database.rows(
        `SELECT count() AS n FROM ${database.name}.dead_letters FINAL WHERE position(base64Decode(ifNull(value_base64, '')), {i:String}) > 0`,
        { i: instanceId },
      ),
    ).toEqual([{ n: 1 }]);
  });

  it("finds the subject wherever a dead letter names it: nested, twice, escaped, cut off, or as the record's key", async () => {
    const instanceId = randomUUID();
    const id = 'a/"é😀';
    const subject: ErasureSubject = { instanceId, kind: "device", id };
    const plain = JSON.stringify(id);
    const escaped = '"a\\/\\"\\u00E9\\ud83d\\uDE00"';
    const cutOff = (text: string) => text.slice(0, -1);
    const ofSubject = [
      `{"payload":{"deviceId":${plain},"instanceId":"${instanceId}"}}`,
      `[{"instance_id":"${instanceId}","device_id" : ${plain}}]`,
      `{"device_id":"another","device_id":${plain},"instance_id":"${instanceId}"}`,
      `{"instance_id":"${instanceId}","device_id":${escaped}}`,
      cutOff(`{"instance_id":"${instanceId}","device_id":"a/\\"\\u00e9\\ud83d\\ude00"}`),
      cutOff(`{"instance_id":"${instanceId}","device_id":"a\\/\\"é😀"}`),
    ];
    const others = [
      `{"payload":{"deviceId":"another","instanceId":"${instanceId}"},"publishId":${plain}}`,
      `{"payload":{"deviceId":${plain}},"instance_id":"${randomUUID()}"}`,
      cutOff(`{"instance_id":"${instanceId}","device_id":"another"}`),
    ];
    await database.setAside([...ofSubject, ...others]);
    await database.setAside([`no JSON of ${instanceId}`], {}, id);
    await database.setAside([null, "no JSON"], {}, id);
    await database.setAside([`no JSON of ${instanceId}`, null], {}, "another");

    expect(await planErasure(parts(), subject)).toMatchObject({
      deadLetters: ofSubject.length + 1,
      unattributable: 2,
    });
    const { removed, left } = await erase(parts(), subject);
    expect(removed.deadLetters).toBe(ofSubject.length + 1);
    expect(left).toEqual(NOTHING);
    const kept = await database.rows(
      `SELECT base64Decode(value_base64) AS value FROM ${database.name}.dead_letters FINAL
       WHERE position(value, {i:String}) > 0 OR position(value, 'payload') > 0 ORDER BY offset`,
      { i: instanceId },
    );
    expect(kept.map(({ value }) => value)).toEqual([...others, `no JSON of ${instanceId}`]);
  });

  it("keeps the ledger's sums true for rows that dead letters had become, also when others are replayed later", async () => {
    const instanceId = randomUUID();
    const textOf = (userId: string) =>
      encodeReport(
        aReceivedReport({ instanceId, userId, receivedAt: new Date() }),
      ).value.toString();
    await database.setAside([textOf("gone"), textOf("stays"), textOf("gone")], {
      v: Buffer.from("1"),
    });
    await database.replayAll();
    expect(await database.discrepancies()).toEqual([]);

    const { removed, left } = await erase(parts(), { instanceId, kind: "user", id: "gone" });
    expect(removed).toMatchObject({ reports: 2, deadLetters: 2 });
    expect(left).toEqual(NOTHING);
    expect(await database.discrepancies()).toEqual([]);
    await database.replayAll();
    expect(await database.discrepancies()).toEqual([]);
  });
});

function isNotOf({ instanceId, kind, id }: ErasureSubject) {
  return (report: LivedHistory["reports"][number]) =>
    report.instanceId !== instanceId || (kind === "user" ? report.userId : report.deviceId) !== id;
}
