import { describe } from "@jest/globals";
import { systemClock } from "@push-reports/service-kit";
import {
  type DatabaseUnderTest,
  deadLettersContract,
  judgedRecordsContract,
  ledgerContract,
  recordSourceContract,
  reportWriterContract,
  storedReportsContract,
} from "@push-reports/test-support";
import { buildRowLines } from "../../src/row-lines.js";
import { InMemoryDeadLetters } from "../fakes/in-memory-dead-letters.js";
import { InMemoryJudgedRecords } from "../fakes/in-memory-judged-records.js";
import { InMemoryLedger } from "../fakes/in-memory-ledger.js";
import { InMemoryLog } from "../fakes/in-memory-log.js";
import { InMemoryRecordSource } from "../fakes/in-memory-record-source.js";
import { InMemoryReportWriter } from "../fakes/in-memory-report-writer.js";
import { InMemoryStoredReports } from "../fakes/in-memory-stored-reports.js";

/** Footprint of the records that may wait, bytes: less than the longest stretch that a test takes. */
const CAPACITY_BYTES = 200_000;

describe("the record source in memory", () =>
  recordSourceContract(async () => {
    const log = new InMemoryLog(3, systemClock);
    return {
      isShared: true,
      createSource: () => new InMemoryRecordSource([log], systemClock, CAPACITY_BYTES),
      append: async (records) => void log.append(records),
      trimTo: async (offset) => log.trimTo(offset),
      leaveGap: async () => log.skip(3),
      close: async () => undefined,
    };
  }));

describe("in memory", () => {
  const database = aDatabase();
  describe("the report writer", () => reportWriterContract(() => database));
  describe("the ledger", () => ledgerContract(() => database));
  describe("stored reports", () => storedReportsContract(() => database));
  describe("dead letters", () => deadLettersContract(() => database));
  describe("judged records", () => judgedRecordsContract(() => database));
});

function aDatabase(): DatabaseUnderTest {
  const source = "memory.1";
  const writer = new InMemoryReportWriter();
  const ledger = new InMemoryLedger(source);
  const deadLetters = new InMemoryDeadLetters();
  return {
    source,
    writer,
    ledger,
    storedReports: new InMemoryStoredReports(writer.rows, source),
    deadLetters,
    judgedRecords: new InMemoryJudgedRecords(ledger, deadLetters),
    linesOf: (partition, records) => buildRowLines({ source, partition }, records).lines,
    rowOffsets: async (partition) =>
      writer.rows
        .filter((row) => row.partition === partition)
        .map(({ offset }) => offset)
        .sort((a, b) => a - b),
    keptDeadLetters: async (partition) =>
      deadLetters.of(partition).map(({ record, reason }) => ({
        offset: record.offset,
        reason,
        key: record.key,
        value: record.value,
        headers: record.headers as Readonly<Record<string, Buffer>>,
      })),
    ledgerRows: async (partition, first) =>
      ledger.entries.filter((entry) => entry.partition === partition && entry.first === first)
        .length,
    forgetInserts: async () => {
      writer.forgetTokens();
      ledger.forgetTokens();
    },
    close: async () => undefined,
  };
}
