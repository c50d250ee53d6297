import { spawnSync } from "node:child_process";
import { randomInt, randomUUID } from "node:crypto";
import {
  closeSync,
  copyFileSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "@jest/globals";
import { type LoadResult, sendReports, waitFor } from "@push-reports/test-support";
import { expectExactlyOnce } from "../support/exactly-once.js";
import { sayFigures } from "../support/load-figures.js";
import { SeededRandom } from "../support/seeded-random.js";
import { StandaloneDeployment } from "../support/standalone-deployment.js";

const STEPS = [
  "cut",
  "intent_committed",
  "set_aside",
  "inserted",
  "ledger_written",
  "committed",
] as const;
const DISK_BYTES = 134_217_728;
const SEED = Number(process.env["STANDALONE_FAULTS_SEED"] ?? randomInt(2 ** 31));

/** What kills a process: a step of ingestion, reached for the n-th time, or a moment in the load. */
type Death =
  | { readonly step: (typeof STEPS)[number]; readonly count: number }
  | { readonly afterReports: number };

describe(`Standalone under faults, STANDALONE_FAULTS_SEED=${SEED}`, () => {
  let standalone: StandaloneDeployment | null = null;
  afterEach(async () => {
    await standalone?.dispose();
    standalone = null;
  });

  it("makes one row of every answered report, whatever step it is killed at, with other limits each time", async () => {
    const deployment = await StandaloneDeployment.create();
    standalone = deployment;
    const random = new SeededRandom(SEED);
    const deaths: readonly Death[] = random.shuffled([
      ...STEPS.map((step) => ({ step, count: random.between(1, 3) })),
      { afterReports: random.between(1, 1_000) },
    ]);
    console.info(`Deaths: ${JSON.stringify(deaths)}`);
    const loads: LoadResult[] = [];
    for (const death of deaths) {
      const environment = { MAX_RANGE_ROWS: String(random.between(20, 400)), MAX_DELAY_MS: "20" };
      loads.push(await loadUntilDeath(deployment, death, environment));
    }
    await deployment.run();
    const answered = await expectAllOnce(deployment, loads);
    sayFigures(`standalone killed ${deaths.length} times`, together(loads));

    expect(answered).toBeGreaterThan(100);
    expect(await deployment.rows("SELECT * FROM ingest_gaps")).toEqual([]);
    expect(await deployment.rows("SELECT * FROM ingest_overlaps")).toEqual([]);
  });

  it("goes on exactly where the writes that were under way are torn, and refuses a log whose records are damaged", async () => {
    const deployment = await StandaloneDeployment.create();
    standalone = deployment;
    const random = new SeededRandom(SEED + 1);
    const log = join(deployment.dataDir, "log", "data.mdb");
    const loads = [
      await loadUntilDeath(deployment, { step: "set_aside", count: 3 }, { MAX_RANGE_ROWS: "100" }),
    ];

    // What a transaction that never became valid may leave: anything in pages that no valid one uses.
    overwrite(log, lastUsedByte(log), random.bytes(16_384));
    loads.push(
      await loadUntilDeath(deployment, { step: "cut", count: 2 }, { MAX_RANGE_ROWS: "100" }),
    );

    const whole = join(deployment.dataDir, "whole.mdb");
    copyFileSync(log, whole);
    damageRecords(log);
    const refused = await deployment.spawn().ended;
    expect(refused.code).toBe(1);
    expect(refused.stdout + refused.stderr).toContain("log_broken");

    copyFileSync(whole, log);
    await deployment.run();
    expect(await expectAllOnce(deployment, loads)).toBeGreaterThan(100);
  });

  const disk = smallDisk();
  afterAll(() => disk?.remove());
  if (disk === null)
    process.stderr.write(
      "SKIPPED: no file system can be mounted here, so it was not verified what standalone does on a full disk\n",
    );

  (disk === null ? it.skip : it)(
    "refuses reports on a full disk, and goes on by itself when there is space again",
    async () => {
      const deployment = await StandaloneDeployment.create({
        DATA_DIR: join(disk?.path ?? "", "data"),
      });
      standalone = deployment;
      await deployment.run();
      const enough = new AbortController();
      let progress = 0;
      const load = sendReports({
        url: deployment.url,
        count: 1_000_000,
        connections: 16,
        signal: enough.signal,
        onProgress: (sent) => {
          progress = sent;
        },
      });
      const more = async (reports: number) => {
        const begun = progress;
        await waitFor(() => progress >= begun + reports, { what: "answers", timeoutMs: 60_000 });
      };
      const ballast = join(disk?.path ?? "", "ballast");
      await more(300);
      fill(ballast);
      await waitFor(() => isAnswered(deployment.url, 503), {
        what: "a refusal",
        timeoutMs: 60_000,
      });
      await more(100);
      rmSync(ballast);
      await waitFor(() => isAnswered(deployment.url, 200), { what: "a 200", timeoutMs: 60_000 });
      await more(300);
      enough.abort();
      const sent = await load;
      sayFigures("standalone on a full disk", sent);

      expect(await expectAllOnce(deployment, [sent])).toBeGreaterThan(100);
      expect(sent.reports.filter(({ status }) => status !== 200 && status !== 503)).toEqual([]);
    },
  );
});

/** Runs it under load until it is dead. */
async function loadUntilDeath(
  deployment: StandaloneDeployment,
  death: Death,
  environment: Readonly<Record<string, string>>,
): Promise<LoadResult> {
  const crash =
    "step" in death ? { CRASH_AT_STEP: death.step, CRASH_AT_COUNT: String(death.count) } : {};
  const process = deployment.spawn({
    program: "crashing-standalone",
    environment: { ...environment, ...crash },
  });
  const isReady = await Promise.race([
    process.untilReady().then(
      () => true,
      () => false,
    ),
    process.ended.then(() => false),
  ]);
  if (!isReady) {
    // What an earlier life left is ingested at once: it may die of that before anybody sees it ready.
    expect(await process.ended).toMatchObject({ signal: "SIGKILL" });
    return { instanceId: randomUUID(), reports: [] };
  }
  const dead = new AbortController();
  const ended = process.ended.finally(() => dead.abort());
  const load = await sendReports({
    url: deployment.url,
    count: 1_000_000,
    connections: 16,
    signal: dead.signal,
    onProgress: (sent) => {
      if ("afterReports" in death && sent === death.afterReports) void process.end("SIGKILL");
    },
  });
  expect(await ended).toMatchObject({ signal: "SIGKILL" });
  return load;
}

async function expectAllOnce(
  deployment: StandaloneDeployment,
  loads: readonly LoadResult[],
): Promise<number> {
  let answered = 0;
  for (const load of loads)
    answered += await expectExactlyOnce(load, (sql) => deployment.rows(sql));
  return answered;
}

function together(loads: readonly LoadResult[]): LoadResult {
  return { instanceId: "", reports: loads.flatMap(({ reports }) => reports) };
}

/** Where the pages end that LMDB's descriptions of its file speak of. */
function lastUsedByte(path: string): number {
  const file = readFileSync(path);
  const pageBytes = file.readUInt32LE(48);
  const lastPages = [0, pageBytes].map((at) => Number(file.readBigUInt64LE(at + 144)));
  return (Math.max(...lastPages) + 1) * pageBytes;
}

function overwrite(path: string, at: number, bytes: Buffer): void {
  const file = openSync(path, "r+");
  writeSync(file, bytes, 0, bytes.length, at);
  closeSync(file);
}

/** Changes a letter in each record that the file holds. */
function damageRecords(path: string): void {
  const file = readFileSync(path);
  for (let at = file.indexOf('"device_id"'); at !== -1; at = file.indexOf('"device_id"', at + 1))
    file[at + 1] = 0x44;
  writeFileSync(path, file);
}

async function isAnswered(url: string, status: number): Promise<boolean> {
  const { reports } = await sendReports({ url, count: 1, connections: 1 });
  return reports[0]?.status === status;
}

/** Writes until there is no space. */
function fill(path: string): void {
  const file = openSync(path, "w");
  try {
    for (;;) writeSync(file, Buffer.alloc(65_536));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
  } finally {
    closeSync(file);
  }
}

/** A disk of its own in memory, where this process may mount one. */
function smallDisk(): { readonly path: string; readonly remove: () => void } | null {
  const path = mkdtempSync(join(tmpdir(), "push-reports-disk-"));
  const isMounted =
    spawnSync("mount", ["-t", "tmpfs", "-o", `size=${DISK_BYTES}`, "tmpfs", path]).status === 0;
  const remove = () => {
    if (isMounted) spawnSync("umount", [path]);
    rmSync(path, { recursive: true, force: true });
  };
  if (isMounted) return { path, remove };
  remove();
  return null;
}
