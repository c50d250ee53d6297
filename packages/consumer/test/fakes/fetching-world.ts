import { FakeClock, nextTurn } from "@push-reports/test-support";
import { InsertPacer } from "../../src/insert-pacer.js";
import { KafkaAssignedPartition } from "../../src/kafka-assigned-partition.js";
import { footprintBytes } from "../../src/record-queue.js";
import { type Awaited, EpochEndedError, type SourceRecord } from "../../src/record-source.js";
import { SharedBuffer } from "../../src/shared-buffer.js";
import { RecordedLogger } from "./recorded-logger.js";

/** One range that a partition took. */
export interface TakenRange {
  readonly partition: number;
  readonly at: number;
  readonly first: number;
  readonly records: number;
  readonly bytes: number;
  /** Age of its oldest record when it was taken, ms. */
  readonly waitedMs: number;
}

/** Limits of {@link fetchingWorld}. */
export interface FetchingWorldOptions {
  readonly partitions: number;
  readonly maxBytes: number;
  readonly rangeBytes: number;
  readonly lentPercent: number;
  readonly rangeRecords: number;
  readonly insertsPerSecond: number;
  readonly partitionFetchBytes: number;
  readonly fetchBytes: number;
  /** How long an insert of a partition takes, ms. */
  readonly insertMs: (partition: number) => number;
}

const FETCH_EVERY_MS = 20;
const MAX_DELAY_MS = 1_000;

/** A broker that answers a fetch every 20 ms, and the partitions of one consumer that take and commit what comes. */
export function fetchingWorld(options: FetchingWorldOptions) {
  const { partitions, maxBytes, rangeBytes, lentPercent } = options;
  const clock = new FakeClock();
  const buffer = new SharedBuffer({ maxBytes, rangeBytes, partitions, lentPercent }, clock);
  const pace = new InsertPacer(clock, options.insertsPerSecond);
  const ranges: TakenRange[] = [];
  const awaited = new Map<number, Awaited>();
  let mostHeld = 0;
  let fetched = 0;
  let fetchedRecords = 0;
  const logs = Array.from({ length: partitions }, (_, partition) => {
    const records: SourceRecord[] = [];
    const log = { partition, records, isPaused: true, position: 0, committed: 0 };
    const assigned = new KafkaAssignedPartition({
      partition,
      buffer,
      clock,
      logger: new RecordedLogger(),
      readPosition: async () => {
        const highWatermark = records.length;
        return { committedOffset: 0, metadata: "", lowWatermark: 0, highWatermark };
      },
      seek: (offset) => {
        log.position = offset;
      },
      pause: () => {
        log.isPaused = true;
      },
      resume: () => {
        log.isPaused = false;
      },
      commit: async (offset) => {
        log.committed = offset;
      },
    });
    return { log, assigned };
  });

  const append = (partition: number, count: number, valueBytes = 400) => {
    const { records } = (logs[partition] as (typeof logs)[number]).log;
    for (let n = 0; n < count; n += 1) {
      const value = Buffer.alloc(valueBytes);
      const at = { offset: records.length, timestampMs: clock.now() };
      records.push({ ...at, key: null, value, headers: {} });
    }
  };
  const ingest = async ({ assigned }: (typeof logs)[number]) => {
    const { partition } = assigned;
    await assigned.position();
    assigned.startAt(0);
    for (;;) {
      const taken = await assigned.take({
        maxRecords: options.rangeRecords,
        maxBytes: rangeBytes,
        maxDelayMs: MAX_DELAY_MS,
        insertMs: options.insertMs(partition),
        pace,
        onWait: (what) => awaited.set(partition, what),
      });
      const at = clock.now();
      const [oldest] = taken as readonly [SourceRecord];
      const bytes = taken.reduce((sum, record) => sum + footprintBytes(record), 0);
      const { offset: first, timestampMs } = oldest;
      const records = taken.length;
      ranges.push({ partition, at, first, records, bytes, waitedMs: at - timestampMs });
      await clock.sleep(options.insertMs(partition));
      await assigned.commit(first + records, "");
    }
  };
  /** What a broker gives of one partition within a fetch: at least one record. */
  const read = ({ records, position }: (typeof logs)[number]["log"], most: number) => {
    let bytes = 0;
    let end = position;
    while (end < records.length && (end === position || bytes < most)) {
      bytes += records[end]?.value?.length ?? 0;
      end += 1;
    }
    return { given: records.slice(position, end), bytes };
  };
  const fetchOnce = () => {
    let rest = options.fetchBytes;
    // kafkajs asks for partitions in the order of the assignment; a broker goes on where the last answer ended.
    for (let n = 0; n < partitions && rest > 0; n += 1) {
      const { log, assigned } = logs[(fetched + n) % partitions] as (typeof logs)[number];
      if (log.isPaused || log.position >= log.records.length) continue;
      const { given, bytes } = read(log, Math.min(rest, options.partitionFetchBytes));
      rest -= bytes;
      fetchedRecords += given.length;
      const nextOffset = log.position + given.length;
      const at = { fetchedOffset: log.position, nextOffset, logEnd: log.records.length };
      if (assigned.accept({ ...at, records: given })) log.position = nextOffset;
    }
    fetched += 1;
  };

  return {
    clock,
    buffer,
    ranges,
    awaited,
    append,
    mostHeld: () => mostHeld,
    /** Records that fetches brought, those that were brought again included. */
    fetchedRecords: () => fetchedRecords,
    committed: () => logs.reduce((sum, { log }) => sum + log.committed, 0),
    start: () => {
      for (const entry of logs)
        ingest(entry).catch((error: unknown) => {
          if (!(error instanceof EpochEndedError)) throw error;
        });
    },
    /** Lets so much time pass, with fetches. */
    run: async (ms: number) => {
      for (let passed = 0; passed < ms; passed += FETCH_EVERY_MS) {
        fetchOnce();
        mostHeld = Math.max(mostHeld, buffer.heldBytes);
        await clock.advance(FETCH_EVERY_MS);
        await nextTurn();
      }
    },
    end: () => {
      for (const { assigned } of logs) assigned.end();
    },
  };
}
