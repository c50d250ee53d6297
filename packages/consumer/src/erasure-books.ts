import { bookReplays } from "./book-replay.js";
import type { AskedDatabase } from "./clickhouse-statements.js";
import {
  type ErasureSubject,
  isDeadLetterOfSubject,
  isOfSubject,
  subjectParams,
} from "./erasure-subject.js";

/** Books the places in the log of a subject's rows and dead letters, before they are removed. Repeating it changes nothing. @throws WriteError */
export async function bookErasedRows(
  { statements, database }: AskedDatabase,
  subject: ErasureSubject,
): Promise<void> {
  await statements.insertSelected(
    "erased_reports",
    "source, partition, offset, was_dead_letter, was_row",
    `SELECT source, partition, offset, (source, partition, offset) IN (
       SELECT source, partition, offset FROM ${database}.dead_letters
     ), 1
     FROM ${database}.reports WHERE ${isOfSubject(subject)}
     UNION ALL
     SELECT source, partition, offset, 1, 0 FROM ${database}.dead_letters WHERE ${isDeadLetterOfSubject(subject)}`,
    subjectParams(subject),
  );
}

/**
 * Counts the booked rows by range into `corrections`, so that `verify` expects as many rows fewer. It is a count of everything
 * booked and comes out the same however often it is taken. @throws WriteError
 */
export async function bookErasures({ statements, database }: AskedDatabase): Promise<void> {
  await statements.insertSelected(
    "corrections",
    "source, partition, first, kind, rows",
    `SELECT e.source, e.partition, l.first, 'erasure', -toInt64(count())
     FROM (SELECT source, partition, offset FROM ${database}.erased_reports FINAL WHERE was_row = 1) AS e
     ASOF INNER JOIN (SELECT source, partition, first, last FROM ${database}.ledger) AS l
       ON e.source = l.source AND e.partition = l.partition AND e.offset >= l.first
     WHERE e.offset <= l.last
     GROUP BY e.source, e.partition, l.first`,
    {},
  );
}

/**
 * Counts anew what was replayed of the ranges of erased dead letters: a replay that died before it booked what it made would not find them
 * any more. @throws WriteError
 */
export async function recountReplays(asked: AskedDatabase): Promise<void> {
  const { database } = asked;
  const erased = `SELECT source, partition, offset FROM ${database}.erased_reports WHERE was_dead_letter = 1`;
  const ranges = `(source, partition, first) IN (
    SELECT l.source, l.partition, l.first FROM (${erased}) AS e
    ASOF INNER JOIN (SELECT source, partition, first, last FROM ${database}.ledger) AS l
      ON e.source = l.source AND e.partition = l.partition AND e.offset >= l.first
    WHERE e.offset <= l.last
  )`;
  const records = `(source, partition) IN (SELECT source, partition FROM (${erased}))`;
  await bookReplays(asked, { ranges, records }, {});
}
