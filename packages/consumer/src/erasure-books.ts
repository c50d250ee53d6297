import type { AnalystDatabase } from "./analyst-command.js";
import { type ErasureSubject, isOfSubject, subjectParams } from "./erasure-subject.js";

/** Books the places in the log of a subject's rows, before they are removed. Repeating it changes nothing. */
export async function bookErasedRows(
  { client, database }: AnalystDatabase,
  subject: ErasureSubject,
): Promise<void> {
  await client.command({
    query: `INSERT INTO ${database}.erased_reports (source, partition, offset, was_dead_letter)
      SELECT source, partition, offset, (source, partition, offset) IN (
        SELECT source, partition, offset FROM ${database}.dead_letters
      )
      FROM ${database}.reports WHERE ${isOfSubject(subject)}
      SETTINGS insert_deduplicate = 0`,
    query_params: { ...subjectParams(subject) },
  });
}

/**
 * Counts the booked rows by range into `corrections`, so that `verify` expects as many rows fewer. It is a count of everything
 * booked and comes out the same however often it is taken. Rows that dead letters had become are {@link recountReplays}' part.
 */
export async function bookErasures({ client, database }: AnalystDatabase): Promise<void> {
  await client.command({
    query: `INSERT INTO ${database}.corrections (source, partition, first, kind, rows)
      SELECT e.source, e.partition, l.first, 'erasure', -toInt64(count())
      FROM (SELECT source, partition, offset FROM ${database}.erased_reports FINAL WHERE was_dead_letter = 0) AS e
      ASOF INNER JOIN (SELECT source, partition, first, last FROM ${database}.ledger) AS l
        ON e.source = l.source AND e.partition = l.partition AND e.offset >= l.first
      WHERE e.offset <= l.last
      GROUP BY e.source, e.partition, l.first
      SETTINGS insert_deduplicate = 0`,
  });
}

/** Counts anew how many dead letters of replayed ranges are rows, where erased rows had been dead letters. */
export async function recountReplays({ client, database }: AnalystDatabase): Promise<void> {
  await client.command({
    query: `INSERT INTO ${database}.corrections (source, partition, first, kind, rows)
      SELECT replayed.source, replayed.partition, replayed.first, 'replay', toInt64(letters.rows)
      FROM (SELECT source, partition, first FROM ${database}.corrections FINAL WHERE kind = 'replay') AS replayed
      INNER JOIN (SELECT source, partition, first, last, name FROM ${database}.ledger) AS l
        ON replayed.source = l.source AND replayed.partition = l.partition AND replayed.first = l.first
      LEFT JOIN (
        SELECT range_name, uniqExact(offset) AS rows FROM ${database}.dead_letters
        WHERE (source, partition, offset) IN (
          SELECT source, partition, offset FROM ${database}.reports
          WHERE (source, partition, offset) IN (SELECT source, partition, offset FROM ${database}.dead_letters)
        )
        GROUP BY range_name
      ) AS letters ON l.name = letters.range_name
      WHERE (SELECT max(was_dead_letter) FROM ${database}.erased_reports) = 1
      SETTINGS insert_deduplicate = 0, join_use_nulls = 0`,
  });
}
