import { randomUUID } from "node:crypto";
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

/** More statements that write than an erasure has. */
const MOST_STEPS = 20;

describeWithContainers("an erasure in trouble", ["kafka", "clickhouse"], () => {
  let pipeline: Pipeline;

  beforeEach(async () => {
    const { brokers } = await sharedKafka();
    pipeline = await Pipeline.create(brokers, await sharedClickHouse(), 2);
  });
  afterEach(async () => pipeline.close());

  const instanceId = randomUUID();
  const recordsOf = (userId: string, count = 1) =>
    Array.from({ length: count }, () =>
      encodeReport(aReceivedReport({ instanceId, userId, deviceId: `web-${userId}` })),
    );
  const lettersOf = (userId: string) =>
    recordsOf(userId).map((record) => ({ ...record, headers: { v: Buffer.from("9") } }));
  const arguments_ = (userId: string) => ["--instance", instanceId, "--user", userId, "--yes"];
  const erase = (userId: string, ...args: readonly string[]) =>
    pipeline.command("erase", ...arguments_(userId), ...args);
  const consume = async (offsets: number) => {
    const consumer = pipeline.start({ MAX_BAD_PERCENT: "100" });
    await pipeline.untilLedgered(offsets, consumer.log);
    return consumer;
  };
  const countOf = (userId: string) => pipeline.one(`countIf(user_id = '${userId}')`, "reports");
  const expectVerified = async () => {
    const { code, stdout } = await pipeline.command("verify");
    expect(stdout).toContain(" 0 discrepancies");
    expect(code).toBe(0);
  };
  const ageClaims = () =>
    pipeline.alter("command_claims UPDATE said_at = said_at - INTERVAL 2 MINUTE WHERE true");
  /** Five reports of alice and five of bob, of a range that is in the table and not in the ledger. */
  const rangeUnderWay = async () => {
    await pipeline.produce(0, [...recordsOf("alice", 5), ...recordsOf("bob", 5)]);
    await pipeline.startCrashing({ CRASH_AT_STEP: "inserted" }).exit;
    expect(await pipeline.one("count()", "reports")).toBe(10);
  };

  it("is shown, and done only when told so", async () => {
    await pipeline.produce(0, recordsOf("o'alice", 2));
    await pipeline.stop(await consume(2));
    const args = ["--instance", instanceId.toUpperCase(), "--user", "o'alice"];
    const shown = await pipeline.command("erase", ...args);
    expect(shown.stdout).toContain(
      '"reports":2,"notifications":2,"deadLetters":0,"publishes":2,"hours":1',
    );
    expect(shown.code).toBe(1);
    const done = await pipeline.command("erase", ...args, "--yes");
    expect(done.stderr).toBe("");
    expect(done.stdout).toContain('left: {"reports":0,"notifications":0,"deadLetters":0}');
    expect(done.stdout).toContain("dead-letter topic");
    expect(done.code).toBe(0);
    expect((await pipeline.command("erase", ...args, "--yes")).code).toBe(0);
    const odd = await pipeline.command("erase", "--instance", "x", "--user", "u");
    expect(odd.stderr).toContain("--instance must be");
    expect((await pipeline.command("erase", "--instance", instanceId)).code).toBe(2);
    expect((await erase("alice", "--wait-secs", "soon")).stderr).toContain("--wait-secs must be");
  });

  it("says that it has to be run again where a range under way may bring back what it removed", async () => {
    await rangeUnderWay();
    const early = await erase("alice", "--wait-secs", "0");
    expect(early.stdout).toContain('"reports":5');
    expect(early.stdout).toContain("  - partition 0, offsets 0 to 9\nRun it again once they are");
    expect(early.code).toBe(1);
    await pipeline.stop(await consume(10));
    expect((await erase("alice")).code).toBe(0);
    expect([await countOf("alice"), await countOf("bob")]).toEqual([0, 5]);
    await expectVerified();
  });

  it("waits for the range under way, and for what the topic still holds", async () => {
    await rangeUnderWay();
    await pipeline.produce(1, recordsOf("alice", 3));
    const { child, ended } = pipeline.begin("erase", arguments_("alice"));
    const waits = new Promise<void>((resolve) => {
      child.stdout?.on("data", (text) => {
        if (String(text).includes("waiting until consumers")) resolve();
      });
    });
    await Promise.race([waits, ended]);
    const consumer = await consume(13);
    const { code, stdout } = await ended;
    expect(stdout).toContain('left: {"reports":0,"notifications":0,"deadLetters":0}');
    expect(code).toBe(0);
    expect([await countOf("alice"), await countOf("bob")]).toEqual([0, 5]);
    await pipeline.stop(consumer);
    await expectVerified();
  });

  it("removes what is there and says so when the log cannot be asked", async () => {
    await pipeline.produce(0, [...recordsOf("alice"), ...recordsOf("bob")]);
    await pipeline.stop(await consume(2));
    const { code, stdout } = await pipeline.begin("erase", arguments_("alice"), {
      KAFKA_BROKERS: "127.0.0.1:1",
    }).ended;
    expect(stdout).toContain('left: {"reports":0,"notifications":0,"deadLetters":0}');
    expect(stdout).toContain("The log could not be asked");
    expect(code).toBe(1);
    expect([await countOf("alice"), await countOf("bob")]).toEqual([0, 1]);
  });

  it("takes what arrives between two of its statements out of every roll-up too", async () => {
    await pipeline.produce(0, recordsOf("alice"));
    await pipeline.stop(await consume(1));
    const { database, clickHouse } = pipeline;
    const arrivals = [/INSERT INTO \w+\.erased_reports/, /DISTINCT toString\(publish_id\)/];
    let arrived = 0;
    const through = await pipeline.throughProxy((statement) => {
      // Counting what it would remove asks the same before it books anything.
      if (arrived === 0 && !arrivals[0]?.test(statement)) return {};
      if (arrivals[arrived]?.test(statement) !== true) return {};
      arrived += 1;
      const until = clickHouse.command({
        query: `INSERT INTO ${database}.reports SELECT * REPLACE (generateUUIDv7() AS report_id, received_at + INTERVAL ${arrived} HOUR AS received_at,
                  'web-${arrived}' AS device_id, 'p-${arrived}' AS publish_id, 1 AS partition, ${arrived} AS offset)
                FROM ${database}.reports LIMIT 1 SETTINGS deduplicate_blocks_in_dependent_materialized_views = 1`,
      });
      return { until };
    });
    const { code } = await pipeline.begin("erase", arguments_("alice"), through).ended;
    expect(arrived).toBe(2);
    expect(code).toBe(0);
    for (const table of ["reports", "notifications", "publish_activity", "instance_hours"])
      expect({ table, rows: await pipeline.one("count()", table) }).toEqual({ table, rows: 0 });
  });

  it("removes no dead letter that it has not booked: one that arrives behind that is taken by its next round", async () => {
    await pipeline.produce(0, lettersOf("alice"));
    const consumer = await consume(1);
    const arrive = async () => {
      await pipeline.produce(0, lettersOf("alice"));
      await pipeline.untilLedgered(2, consumer.log);
    };
    let removals = 0;
    const through = await pipeline.throughProxy((statement) => {
      if (!/ALTER TABLE \w+\.dead_letters DELETE/.test(statement)) return {};
      removals += 1;
      return removals === 1 ? { until: arrive() } : {};
    });
    const { code, stdout } = await pipeline.begin("erase", arguments_("alice"), through).ended;
    await pipeline.stop(consumer);
    expect(stdout).toContain('left: {"reports":0,"notifications":0,"deadLetters":0}');
    expect(code).toBe(0);
    expect(removals).toBe(2);
    expect(await pipeline.one("count()", "dead_letters")).toBe(0);
    await expectVerified();
  });

  it("gives others their rows in every roll-up again where a consumer's insert is in its way once, behind the removal", async () => {
    // Of one device and publish, so that every removal takes rows of both.
    const shared = [...recordsOf("alice"), ...recordsOf("bob")].map((record) => ({
      ...record,
      value: Buffer.from(
        `${record.value}`.replace(/"(publish_id|device_id)":"[^"]+"/g, '"$1":"shared"'),
      ),
    }));
    await pipeline.produce(0, shared);
    await pipeline.stop(await consume(2));
    const refused = new Set<string>();
    const through = await pipeline.throughProxy((statement) => {
      const [, table] =
        /INSERT INTO \w+\.(notifications|publish_activity|instance_hours) /.exec(statement) ?? [];
      if (table === undefined || refused.has(table)) return {};
      refused.add(table);
      return { refusedWith: 286 };
    });
    const { code, stderr } = await pipeline.begin("erase", arguments_("alice"), through).ended;
    expect(stderr).toBe("");
    expect(code).toBe(0);
    expect(refused.size).toBe(3);
    for (const table of ["reports", "notifications", "publish_activity", "instance_hours"])
      expect({ table, rows: await pipeline.one("count()", table) }).toEqual({ table, rows: 1 });
  });

  it("keeps others away when it lost the connection, for the database may still be at it", async () => {
    await pipeline.produce(0, recordsOf("alice"));
    await pipeline.stop(await consume(1));
    const through = await pipeline.throughProxy((statement) => ({
      isCut: /ALTER TABLE \w+\.reports DELETE/.test(statement),
    }));
    const lost = await pipeline.begin("erase", arguments_("alice"), through).ended;
    expect(lost.code).toBe(2);
    expect(lost.stderr).toContain("The removal from reports failed");
    const early = await erase("alice");
    expect(early.stderr).toContain("Another erase is at work since ");
    expect(early.code).toBe(2);
    await ageClaims();
    expect(await erase("alice")).toMatchObject({ code: 0 });
    expect(await countOf("alice")).toBe(0);
    await expectVerified();
  });

  it("keeps others away, however old its claim is, while the database is at a statement of it after it was killed", async () => {
    await pipeline.produce(0, [...recordsOf("alice"), ...recordsOf("bob")]);
    await pipeline.stop(await consume(2));
    let word: string | undefined;
    let letGo = () => {};
    const until = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const held = await pipeline.throughProxy((statement) => {
      if (!/INSERT INTO \w+\.notifications /.test(statement)) return {};
      [, word] = /log_comment = '([^']+)'/.exec(statement) ?? [];
      return { until };
    });
    const killed = pipeline.begin("erase", arguments_("alice"), held);
    await waitFor(async () => word !== undefined, { what: "its insert", timeoutMs: 30_000 });
    killed.child.kill("SIGKILL");
    await killed.ended;
    await ageClaims();
    const asked = await pipeline.throughProxy((statement) =>
      // A server that runs one statement at a time shows none but the question.
      statement.includes("system.processes") ? { answer: `${JSON.stringify({ word })}\n` } : {},
    );
    const early = await pipeline.begin("erase", arguments_("bob"), asked).ended;
    expect(early.stderr).toContain(
      "The database is still at a statement of another erase, at work",
    );
    expect(early.code).toBe(2);
    expect(await countOf("bob")).toBe(1);
    letGo();
    expect(await erase("bob")).toMatchObject({ code: 0 });
    expect(await erase("alice")).toMatchObject({ code: 0 });
    expect(await pipeline.one("count()", "notifications FINAL")).toBe(0);
  });

  it("is completed by running it again, at whichever statement it was killed", async () => {
    const users = Array.from({ length: MOST_STEPS }, (_, step) => `user-${step}`);
    const bystanders = recordsOf("bob", 3);
    await pipeline.produce(0, [
      ...bystanders,
      ...users.flatMap((user) => recordsOf(user, 2)),
      ...users.flatMap(lettersOf),
    ]);
    await pipeline.stop(await consume(3 + 3 * MOST_STEPS));
    await pipeline.makeLettersReadable();
    expect(await pipeline.command("replay", "--yes")).toMatchObject({ code: 0 });

    let [seen, killAt] = [0, 0];
    let victim: ReturnType<Pipeline["begin"]> | null = null;
    const through = await pipeline.throughProxy((statement) => {
      if (!/^\s*(ALTER TABLE|INSERT INTO)/.test(statement)) return {};
      if (statement.includes("command_claims")) return {};
      seen += 1;
      if (seen === killAt) victim?.child.kill("SIGKILL");
      return {};
    });
    let erased = 0;
    for (const user of users) {
      [seen, killAt] = [0, erased + 1];
      victim = pipeline.begin("erase", arguments_(user), through);
      await victim.ended;
      erased += 1;
      if (seen < killAt) break;
      if (victim.child.signalCode === null) await once(victim.child, "exit");
      await ageClaims();
      expect(await erase(user)).toMatchObject({ code: 0 });
    }
    expect(erased).toBeGreaterThan(8);
    expect(erased).toBeLessThan(MOST_STEPS);
    expect(await pipeline.one("count()", "reports")).toBe(3 + 3 * (MOST_STEPS - erased));
    const left = ["bob", ...users.slice(erased)];
    const devices = await pipeline.rowsOf<{ device_id: string }>(
      `SELECT DISTINCT device_id FROM ${pipeline.database}.notifications FINAL`,
    );
    expect(new Set(devices.map(({ device_id }) => device_id))).toEqual(
      new Set(left.map((user) => `web-${user}`)),
    );
    await expectVerified();
  });
});
