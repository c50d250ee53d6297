import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { type Clock, type Logger, systemClock } from "@push-reports/service-kit";
import { waitFor } from "@push-reports/test-support";
import { InstanceFile } from "../../src/instance-file.js";
import { listedInstances } from "../../src/instances.js";

const OLD = "426abfc7-41fe-492f-bcf1-27586fa9bd3f";
const NEW = "0b0b2b1c-8d9e-4c80-91ba-9b7c4b0b7d1a";
/** How much faster time passes here. */
const HURRY = 20;

const hurriedClock: Clock = {
  now: () => Math.floor(performance.now() * HURRY),
  sleep: (ms, signal) => systemClock.sleep(ms / HURRY, signal),
};

describe("the list of instances in a file", () => {
  let folder: string;
  let path: string;
  let file: InstanceFile;
  let reads = 0;
  const events: string[] = [];
  /** Reads that fail before the file can be read again. */
  let failures = 0;
  /** A disk that gives no answer until then. */
  let answer: Promise<void> = Promise.resolve();
  const log = (event: string) => void events.push(event);
  const logger: Logger = { debug: log, info: log, warn: log, error: log };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "instances-"));
    path = join(folder, "instances");
    await writeFile(path, `${OLD}\n`);
    failures = 0;
    reads = 0;
    events.length = 0;
    answer = Promise.resolve();
    file = new InstanceFile(path, listedInstances([]), hurriedClock, logger, async (from) => {
      reads += 1;
      await answer;
      if (failures === 0) return await readFile(from, "utf8");
      failures -= 1;
      throw Object.assign(new Error("The disk failed"), { code: "EIO" });
    });
    await file.start();
  });
  afterEach(async () => {
    await file.stop();
    await rm(folder, { recursive: true });
  });

  it("is read once more after a fault that passes, and the fault is told of once", async () => {
    failures = 3;
    await writeFile(path, `${NEW}\n`);
    await waitFor(async () => file.has(NEW), { what: "the new list", timeoutMs: 3_000 });

    expect([file.has(OLD), file.problem]).toEqual([false, null]);
    expect(events).toEqual(["instances_loaded", "instance_file_unusable", "instances_loaded"]);
  });

  it("is no problem any more once it is back as it was", async () => {
    await rename(folder, `${folder}-away`);
    await waitFor(async () => file.problem !== null, { what: "the fault", timeoutMs: 3_000 });
    await rename(`${folder}-away`, folder);
    await waitFor(async () => file.problem === null, { what: "its end", timeoutMs: 3_000 });

    expect(file.has(OLD)).toBe(true);
  });

  it("is not read again and again while its content is at fault", async () => {
    await writeFile(path, "no id\n");
    await waitFor(async () => file.problem !== null, { what: "the fault", timeoutMs: 3_000 });
    const readsThen = reads;
    await hurriedClock.sleep(5_000);

    expect(reads).toBe(readsThen);
    expect(file.has(OLD)).toBe(true);
  });

  it("that does not answer is told of, asked no second time meanwhile, and used once it answers", async () => {
    let give: () => void = () => {};
    answer = new Promise((resolve) => {
      give = resolve;
    });
    await writeFile(path, `${NEW}\n`);
    await waitFor(async () => file.problem !== null, { what: "the fault", timeoutMs: 3_000 });
    expect(file.problem).toBe("it cannot be read (no_answer_in_time)");
    const readsThen = reads;
    await hurriedClock.sleep(5_000);
    expect([reads, file.has(OLD)]).toEqual([readsThen, true]);
    give();
    await waitFor(async () => file.has(NEW), { what: "the new list", timeoutMs: 3_000 });
    expect(file.problem).toBeNull();
  });

  it("that does not answer keeps no stop waiting", async () => {
    answer = new Promise(() => {});
    const readsThen = reads;
    await writeFile(path, `${NEW}\n`);
    await waitFor(async () => reads > readsThen, { what: "the look", timeoutMs: 3_000 });
    await file.stop();
  });

  it("is not read while it is a pipe, which could give nothing for ever", async () => {
    const pipe = join(folder, "pipe");
    const listPath = join(folder, "list");
    await writeFile(listPath, `${OLD}\n`);
    execFileSync("mkfifo", [pipe]);
    const own = new InstanceFile(listPath, listedInstances([]), hurriedClock, logger);
    await own.start();
    try {
      await rename(pipe, listPath);
      await waitFor(async () => own.problem !== null, { what: "the fault", timeoutMs: 3_000 });
      expect([own.problem, own.has(OLD)]).toEqual(["it is no regular file", true]);
      await rm(listPath);
      await writeFile(listPath, `${NEW}\n`);
      await waitFor(async () => own.has(NEW), { what: "the new list", timeoutMs: 3_000 });
    } finally {
      await own.stop();
    }
  });
});
