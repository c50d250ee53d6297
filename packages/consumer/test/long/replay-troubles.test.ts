import { once } from "node:events";
import { afterEach, beforeEach, expect, it } from "@jest/globals";
import { encodeReport } from "@push-reports/report";
import {
  aReceivedReport,
  describeWithContainers,
  sharedClickHouse,
  sharedKafka,
  waitFor,
} from "@push-reports/test-support";
import { Pipeline } from "../support/pipeline.js";

describeWithContainers("a replay in trouble", ["kafka", "clickhouse"], () => {
  let pipeline: Pipeline;

  beforeEach(async () => {
    const { brokers } = await sharedKafka();
    pipeline = await Pipeline.create(brokers, await sharedClickHouse(), 2);
  });
  afterEach(async () => pipeline.close());

  const ageClaims = () =>
    pipeline.alter("command_claims UPDATE said_at = said_at - INTERVAL 2 MINUTE WHERE true");
  const records = (count: number) =>
    Array.from({ length: count }, () => encodeReport(aReceivedReport()));
  const unreadable = (record: ReturnType<typeof encodeReport>) => ({
    ...record,
    headers: { v: Buffer.from("9") },
  });
  /** Five rows of partition 0, and behind them so many dead letters that this version can read by now. */
  const fiveRowsAndLetters = async (count: number) => {
    await pipeline.produce(0, [...records(5), ...records(count).map(unreadable)]);
    await becomeLetters(5 + count);
  };
  const becomeLetters = async (offsets: number) => {
    const consumer = pipeline.start({ MAX_BAD_PERCENT: "100" });
    await pipeline.untilLedgered(offsets, consumer.log);
    await pipeline.stop(consumer);
    await pipeline.makeLettersReadable();
  };
  /** A replay that stands still at a statement, from its n-th time on, until it is let go on. */
  const replayHeldAt = async (statement: RegExp, args: readonly string[] = [], nth = 1) => {
    let letGo = () => {};
    const until = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    let times = 0;
    const through = await pipeline.throughProxy((text) => {
      if (statement.test(text)) times += 1;
      return statement.test(text) && times >= nth ? { until } : {};
    });
    const held = pipeline.begin("replay", ["--yes", ...args], through);
    await waitFor(async () => times >= nth, {
      what: `a replay at ${statement}`,
      timeoutMs: 30_000,
    });
    return { ...held, letGo };
  };
  const kill = async ({ child }: Pick<ReturnType<Pipeline["begin"]>, "child">) => {
    child.kill("SIGKILL");
    await once(child, "exit");
  };
  const expectAllRowsOnce = async () => {
    expect(await pipeline.rows()).toEqual(await pipeline.readable());
    const { code, stdout } = await pipeline.command("verify");
    expect(stdout).toContain(" 0 discrepancies");
    expect(code).toBe(0);
  };

  it("makes a row again of one that was deleted since an earlier replay", async () => {
    await fiveRowsAndLetters(2);
    expect(await pipeline.command("replay", "--yes")).toMatchObject({ code: 0 });
    await pipeline.alter("reports DELETE WHERE offset = 5");
    // A part of the two rows and one of the single row are remembered by the time of the third.
    for (let time = 0; time < 2; time += 1) {
      const again = await pipeline.command("replay", "--yes");
      expect(again.stdout).toContain(
        'done: {"selected":2,"alreadyRows":1,"stillBad":0,"replayed":1}',
      );
      await expectAllRowsOnce();
      await pipeline.alter("reports DELETE WHERE offset = 5");
    }
  });

  it("looks whether what was acknowledged is there, and inserts it again or fails", async () => {
    await fiveRowsAndLetters(2);
    let swallowed = 0;
    let most = 1;
    const through = await pipeline.throughProxy((text) => {
      if (!/INSERT INTO \w+\.reports /.test(text) || swallowed >= most) return {};
      swallowed += 1;
      return { isSwallowed: true };
    });
    most = Number.POSITIVE_INFINITY;
    const failed = await pipeline.begin("replay", ["--yes"], through).ended;
    expect(failed.code).toBe(2);
    expect(failed.stderr).toContain("acknowledged and not there");
    expect(await pipeline.one("count()", "reports")).toBe(5);

    await ageClaims();
    [swallowed, most] = [0, 1];
    expect(await pipeline.begin("replay", ["--yes"], through).ended).toMatchObject({ code: 0 });
    expect(swallowed).toBe(1);
    await expectAllRowsOnce();
  });

  it("keeps another away that would write the same rows, and erasures, until it has ended", async () => {
    await fiveRowsAndLetters(3);
    const first = await replayHeldAt(/INSERT INTO \w+\.reports /, ["--last", "6"]);
    const refused = await pipeline.command("replay", "--yes", "--first", "6");
    expect(refused.stderr).toContain("Another replay is at work since ");
    expect(refused.code).toBe(2);
    const erase = ["--instance", aReceivedReport().instanceId, "--user", "u", "--yes"];
    expect((await pipeline.command("erase", ...erase)).stderr).toContain("Another replay is at");
    expect(await pipeline.command("replay", "--dry-run")).toMatchObject({ code: 0 });
    first.letGo();
    expect(await first.ended).toMatchObject({ code: 0 });
    expect(await pipeline.command("replay", "--yes", "--first", "6")).toMatchObject({ code: 0 });
    await expectAllRowsOnce();
  });

  it.each([/INSERT INTO \w+\.reports /, /INSERT INTO \w+\.corrections /])(
    "is completed by running it again where it was killed at %s, once its claim is void",
    async (statement) => {
      await fiveRowsAndLetters(3);
      await kill(await replayHeldAt(statement));
      expect((await pipeline.command("replay", "--yes")).stderr).toContain(
        "this one may run after",
      );
      await ageClaims();
      expect(await pipeline.command("replay", "--yes")).toMatchObject({ code: 0 });
      await expectAllRowsOnce();
    },
  );

  /** Lets another replay run to its end while this one stands still, as one whose claim is void. */
  const expectToGiveWay = async (still: Awaited<ReturnType<typeof replayHeldAt>>) => {
    await ageClaims();
    expect(await pipeline.command("replay", "--yes")).toMatchObject({ code: 0 });
    still.child.kill("SIGCONT");
    const { code, stderr } = await still.ended;
    expect(stderr).toContain("while this one stood still");
    expect(code).toBe(2);
  };

  it("writes nothing more once another has run while it stood still", async () => {
    await fiveRowsAndLetters(3);
    // It asks once to count, and once under its claim.
    const still = await replayHeldAt(/SELECT DISTINCT toString\(report_id\)/, [], 2);
    still.child.kill("SIGSTOP");
    still.letGo();
    // The answer waits for it, and says that nothing is there.
    expect((await pipeline.command("replay", "--dry-run")).stdout).toContain('"replayed":3');
    await expectToGiveWay(still);
    await expectAllRowsOnce();
  });

  it("completes no views once another has run while it stood still: what an erasure removes could come back", async () => {
    await fiveRowsAndLetters(3);
    expect(await pipeline.command("replay", "--yes")).toMatchObject({ code: 0 });
    // It asks once to count, and once under its claim.
    const still = await replayHeldAt(/SELECT DISTINCT toString\(offset\)/, [], 2);
    still.child.kill("SIGSTOP");
    still.letGo();
    await expectToGiveWay(still);
  });

  it("completes the views of rows whose insert had died behind the table, all at once", async () => {
    await fiveRowsAndLetters(2);
    expect(await pipeline.command("replay", "--yes")).toMatchObject({ code: 0 });
    const notified = await pipeline.one("count()", "notifications FINAL");
    for (const view of ["notifications", "publish_activity", "instance_hours"])
      await pipeline.alter(`${view} DELETE WHERE true`);
    let letGo = () => {};
    const until = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    let held = 0;
    const through = await pipeline.throughProxy((text) => {
      if (!/INSERT INTO \w+\.(notifications|publish_activity|instance_hours) /.test(text))
        return {};
      held += 1;
      return { until };
    });
    const { ended } = pipeline.begin("replay", ["--yes"], through);
    await waitFor(async () => held === 3, { what: "all three at once", timeoutMs: 30_000 });
    letGo();
    expect(await ended).toMatchObject({ code: 0 });
    expect(notified).toBe(7);
    expect(await pipeline.one("count()", "notifications FINAL")).toBe(2);
    expect(await pipeline.one("count()", "publish_activity FINAL")).toBeGreaterThan(0);
    expect(await pipeline.one("count()", "instance_hours FINAL")).toBeGreaterThan(0);
  });

  it("counts before what it does afterwards, also of a report that has dead letters in several places", async () => {
    const [twice, once] = records(2).map(unreadable);
    await pipeline.produce(0, [twice, once, twice] as NonNullable<typeof twice>[]);
    await pipeline.produce(1, [twice] as NonNullable<typeof twice>[]);
    await becomeLetters(4);
    const { stdout } = await pipeline.command("replay", "--yes");
    expect(stdout).toContain(
      'to do: {"selected":4,"alreadyRows":2,"stillBad":0,"replayed":2,"decidedByTrying":0}',
    );
    expect(stdout).toContain('done: {"selected":4,"alreadyRows":2,"stillBad":0,"replayed":2}');
  });

  it("reads no more of the reports than the times of its dead letters, also when only counting", async () => {
    await fiveRowsAndLetters(3);
    const { database, clickHouse } = pipeline;
    const others = 300_000;
    await clickHouse.command({
      query: `INSERT INTO ${database}.reports SELECT generateUUIDv7(), '2021-01-01 00:00:00', instance_id, event, publish_id, device_id,
                occurred_at, user_id, app_in_background, has_displayable_content, has_data, client_library, source, 77, number
              FROM (SELECT * FROM ${database}.reports LIMIT 1) AS row CROSS JOIN numbers(${others}) AS n`,
    });
    const asked: string[] = [];
    const through = await pipeline.throughProxy((text) => {
      if (/FROM \w+\.reports\b/.test(text)) asked.push(text.replace(/\s*FORMAT JSONEachRow$/, ""));
      return {};
    });
    const dry = await pipeline.begin("replay", ["--dry-run"], through).ended;
    expect(dry.stdout).toContain('"replayed":3');
    const [copies, ...more] = asked.filter((text) => text.includes("report_id IN"));
    expect(more).toEqual([]);
    // The command's own question has left in a cache which stretches of the table hold nothing of it.
    const query = `${copies}, use_query_condition_cache = 0`;
    const answer = await clickHouse.query({ query, format: "JSON" });
    const { statistics } = await answer.json();
    expect(statistics?.rows_read).toBeLessThan(others);
  });

  it("takes dead letters with far more rows between them than a set can hold", async () => {
    await pipeline.produce(0, records(2).map(unreadable));
    await becomeLetters(2);
    const { database, clickHouse, source } = pipeline;
    const last = 17_000_001;
    for (const view of ["notifications", "publish_activity", "instance_hours"])
      await clickHouse.command({ query: `DROP VIEW ${database}.${view}_of_reports` });
    await clickHouse.command({
      query: `INSERT INTO ${database}.reports SELECT generateUUIDv7(), '${timeOf(aReceivedReport().receivedAt)}', '${aReceivedReport().instanceId}',
                'open', 'p', 'd', now(), NULL, NULL, NULL, NULL, '', '${source}', 0, number + 1 FROM numbers(${last - 1})`,
    });
    await clickHouse.command({
      query: `INSERT INTO ${database}.dead_letters SELECT * REPLACE (${last} AS offset) FROM (SELECT * FROM ${database}.dead_letters WHERE offset = 1)`,
    });
    await pipeline.alter("dead_letters DELETE WHERE offset = 1");
    const dry = await pipeline.command("replay", "--dry-run");
    expect(dry.stdout).toContain('"selected":2,"alreadyRows":0,"stillBad":0,"replayed":2');
  });
});

function timeOf(time: Date): string {
  return time.toISOString().slice(0, 23).replace("T", " ");
}
