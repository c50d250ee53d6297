import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, expect, it } from "@jest/globals";
import {
  aReceivedReport,
  describeWithContainers,
  sharedClickHouse,
} from "@push-reports/test-support";
import { erase } from "../../src/erase.js";
import { AnalystDatabase, type RecordEnd } from "../support/analysts/database.js";

describeWithContainers("the books of replays and erasures", ["clickhouse"], () => {
  const instanceId = randomUUID();
  let database: AnalystDatabase;

  beforeEach(async () => {
    database = await AnalystDatabase.create(await sharedClickHouse());
  });
  afterEach(async () => database.close());

  const record =
    (is: RecordEnd["is"], { isSetAside }: { readonly isSetAside: boolean }) =>
    (userId: string): RecordEnd => ({
      report: aReceivedReport({ instanceId, userId, receivedAt: new Date() }),
      isSetAside,
      is,
    });
  const row = record("row", { isSetAside: false });
  /** Set aside by a version that could not read it, made a row by one that could. */
  const lateRow = record("row", { isSetAside: true });
  const deadLetter = record("dead_letter", { isSetAside: true });
  /** Set aside, and gone from the log before its range was complete. */
  const lost = record("absent", { isSetAside: true });
  const absent = record("absent", { isSetAside: false });
  const eraseUser = (id: string) =>
    erase(
      {
        statements: database.statements,
        database: database.name,
        claim: { renew: async () => undefined },
        settle: async () => undefined,
      },
      { instanceId, kind: "user", id },
    );
  const found = async () =>
    (await database.discrepancies()).filter(({ kind }) => kind !== "absent");
  const removeRow = (offset: number) => database.alter(`reports DELETE WHERE offset = ${offset}`);

  it("stay true when a row is erased that was set aside before its range made it one", async () => {
    await database.completeRange([lateRow("gone"), lateRow("stays"), row("stays")]);
    expect(await found()).toEqual([]);
    await eraseUser("gone");
    expect(await found()).toEqual([]);
  });

  it("stay true of every replayed range when a row of one is erased", async () => {
    await database.completeRange([lateRow("a"), lateRow("a"), deadLetter("a"), row("a")]);
    await database.completeRange([deadLetter("gone"), row("b")]);
    await database.replayAll();
    expect(await found()).toEqual([]);
    await eraseUser("gone");
    expect(await found()).toEqual([]);
    await eraseUser("a");
    expect(await found()).toEqual([]);
    await database.replayAll();
    expect(await found()).toEqual([]);
  });

  it("stay true when a dead letter is replayed that was gone from the log before its range was complete", async () => {
    await database.completeRange([lost("a")]);
    await database.completeRange([lost("b"), absent("b"), row("b"), lateRow("b"), deadLetter("b")]);
    await database.completeRange([absent("c"), row("c"), lateRow("c")]);
    expect(await database.replayAll()).toMatchObject({ replayed: 3 });
    expect(await found()).toEqual([]);
    await eraseUser("b");
    expect(await found()).toEqual([]);
  });

  it("hide no row that is lost after it was replayed, whatever is replayed or erased later", async () => {
    await database.completeRange([deadLetter("a"), deadLetter("gone"), row("a")]);
    await database.replayAll();
    await removeRow(0);
    const missing = [{ kind: "wrong_rows", detail: "3 rows booked, 2 rows of 2 offsets found" }];
    expect(await found()).toMatchObject(missing);
    await eraseUser("gone");
    expect(await found()).toMatchObject([
      { kind: "wrong_rows", detail: "2 rows booked, 1 rows of 1 offsets found" },
    ]);
  });

  it("have what was replayed and erased before the replay had booked it", async () => {
    await database.completeRange([deadLetter("gone"), row("stays")]);
    await database.replayAll();
    await database.client.command({
      query: `TRUNCATE TABLE ${database.name}.corrections`,
    });
    await eraseUser("gone");
    expect(await found()).toEqual([]);
  });

  it("have what was replayed again where that was lost, by replaying again", async () => {
    await database.completeRange([deadLetter("a"), row("a")]);
    await database.replayAll();
    await database.alter("corrections DELETE WHERE true");
    expect(await found()).toMatchObject([{ kind: "wrong_rows" }]);
    await database.replayAll();
    expect(await found()).toEqual([]);
  });

  it("name dead letters that are gone, and none that were erased", async () => {
    await database.completeRange([deadLetter("gone"), deadLetter("stays"), row("stays")]);
    await database.completeRange([row("stays")]);
    await database.completeRange([deadLetter("stays"), lateRow("stays")]);
    expect(await found()).toEqual([]);
    await eraseUser("gone");
    expect(await found()).toEqual([]);

    await database.alter("dead_letters DELETE WHERE true");
    expect(await found()).toMatchObject([
      { kind: "lost_dead_letters", first: 0, last: 2, detail: "2 dead letters booked, 1 found" },
      { kind: "lost_dead_letters", first: 4, last: 5, detail: "1 dead letters booked, 0 found" },
    ]);
  });

  it("name what is lost as a whole also where a profile has joins give NULL for what they do not find", async () => {
    await database.close();
    database = await AnalystDatabase.create(await sharedClickHouse(), { join_use_nulls: 1 });
    await database.completeRange([row("a")]);
    await database.completeRange([deadLetter("a"), row("a")]);
    expect(await found()).toEqual([]);
    await database.replayAll();
    expect(await found()).toEqual([]);
    await removeRow(0);
    await database.alter("dead_letters DELETE WHERE true");
    expect(await found()).toMatchObject([
      { kind: "wrong_rows", first: 0, last: 0 },
      { kind: "lost_dead_letters", first: 1, last: 2 },
    ]);
  });

  it("call it lawful when dead letters are so old that they may have expired", async () => {
    await database.completeRange([deadLetter("a")]);
    await database.alter("dead_letters DELETE WHERE true");
    await database.alter("ledger UPDATE cut_at = cut_at - INTERVAL 600 MONTH WHERE true");
    expect(await found()).toEqual([]);
  });
});
