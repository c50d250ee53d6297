import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { type EmbeddedLog, openEmbeddedLog } from "@push-reports/embedded-log";
import { createLogger, systemClock } from "@push-reports/service-kit";
import { recordSourceContract, reportPublisherContract, waitFor } from "@push-reports/test-support";
import { EmbeddedRecordSource } from "../../src/embedded-record-source.js";
import { EmbeddedReportPublisher } from "../../src/embedded-report-publisher.js";

const MAX_BYTES = 64 * 1024 * 1024;
/** Less than the longest stretch that a test takes. */
const MAX_BUFFERED_BYTES = 200_000;
const logger = createLogger({ service: "test", level: "silent" });

async function aLog(maxWaitingBytes = 8 * 1024 * 1024) {
  const path = mkdtempSync(join(tmpdir(), "push-reports-log-"));
  const open = () => openEmbeddedLog({ path, maxBytes: MAX_BYTES, maxWaitingBytes });
  const log = await open();
  return {
    log,
    reopened: open,
    close: async () => {
      await log.close();
      rmSync(path, { recursive: true });
    },
  };
}

const sourceOf = (log: EmbeddedLog) =>
  new EmbeddedRecordSource(
    log,
    { maxBufferedBytes: MAX_BUFFERED_BYTES, maxRangeBytes: MAX_BUFFERED_BYTES },
    systemClock,
    logger,
  );

const aRecord = (n: number) => ({
  timestampMs: 1_700_000_000_000 + n,
  key: Buffer.from(`key-${n}`),
  value: Buffer.from(`value-${n}`),
  headers: {},
});

describe("the record source of the embedded log", () => {
  recordSourceContract(async () => {
    const { log, close } = await aLog();
    return {
      isShared: false,
      createSource: () => sourceOf(log),
      append: async (records) => {
        await Promise.all(records.map((record) => log.append(record)));
      },
      trimTo: (offset) => log.trim(offset),
      close,
    };
  });

  it("keeps what was committed when the log is closed and opened again, and frees what is below it", async () => {
    const { log, reopened, close } = await aLog();
    await Promise.all([0, 1, 2, 3].map((n) => log.append(aRecord(n))));
    const { source, assigned } = await startedSource(log);
    assigned.startAt(0);
    await assigned.takeThrough(3);
    await assigned.commit(3, "intent");
    await waitFor(() => log.firstOffset === 3, { what: "the log to be trimmed" });
    await source.stop();
    await log.close();

    const again = await reopened();
    const next = await startedSource(again);
    expect(await next.assigned.position()).toEqual({
      committedOffset: 3,
      metadata: "intent",
      lowWatermark: 3,
      highWatermark: 4,
    });
    next.assigned.startAt(3);
    expect((await next.assigned.takeThrough(3)).map(({ offset }) => offset)).toEqual([3]);
    await next.source.stop();
    await again.close();
    await close();
  });

  it("says that it can go on no longer when the log cannot be read", async () => {
    const { log, close } = await aLog();
    await log.append(aRecord(0));
    const { source, assigned, failures } = await startedSource(log);
    await log.close();
    assigned.startAt(0);
    await waitFor(() => failures.length > 0, { what: "the source to fail" });
    expect(failures).toMatchObject([{ code: "log_closed" }]);
    await source.stop();
    await close();
  });

  it("repeats a commit until the log takes it, and stops when the epoch ends", async () => {
    const { log, close } = await aLog();
    const { source, assigned } = await startedSource(log);
    await log.close();
    const committing = assigned.commit(0, "");
    await source.stop();
    await expect(committing).rejects.toMatchObject({ code: "epoch_ended" });
    await close();
  });
});

async function startedSource(log: EmbeddedLog) {
  const source = sourceOf(log);
  const failures: Error[] = [];
  const epochs: Parameters<Parameters<typeof source.start>[0]>[0][] = [];
  await source.start(
    (one) => epochs.push(one),
    (error) => failures.push(error),
    () => undefined,
  );
  const [assigned] = epochs;
  if (assigned === undefined) throw new Error("The partition was not assigned");
  return { source, assigned, failures };
}

describe("the publisher to the embedded log", () =>
  reportPublisherContract(async ({ maxWaitingBytes }) => {
    const { log, reopened, close } = await aLog(maxWaitingBytes);
    let isStopped = false;
    return {
      publisher: new EmbeddedReportPublisher(log, { answerDeadlineMs: 5_000 }, systemClock),
      published: async () => {
        const opened = isStopped ? await reopened() : log;
        const entries = opened.read(0, { maxRecords: 10_000, maxBytes: MAX_BYTES });
        if (isStopped) await opened.close();
        return entries.map(({ key, value, headers, timestampMs }) => {
          if (key === null || value === null) throw new Error("A record is not whole");
          return { key, value, headers, timestampMs };
        });
      },
      stop: async () => {
        isStopped = true;
        await log.close();
      },
      close,
    };
  }));
