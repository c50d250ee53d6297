import type { ClickHouseStatements } from "./clickhouse-statements.js";
import { WriteError } from "./report-writer.js";
import type { DeadLetter } from "./selected-dead-letters.js";

/**
 * Books, for the ranges of these dead letters, how many of all their dead letters are rows by now: a count that comes out the same
 * however often it is taken, so that a replay that died before this line is healed by repeating it. Dead letters beyond those that the
 * ledger counts became rows with their range: it was begun by a version that could not read them and completed by one that could.
 * A count never falls, because rows that were erased later are booked as erased.
 */
export async function bookReplay(
  {
    statements,
    database,
  }: {
    readonly statements: ClickHouseStatements;
    readonly database: string;
  },
  source: string,
  partition: number,
  letters: readonly DeadLetter[],
): Promise<void> {
  const names = [...new Set(letters.map(({ range_name }) => range_name))];
  const offsets = letters.map(({ offset }) => Number(offset));
  const counts = await statements.select<{ first: string; rows: string }>(
    `SELECT toString(l.first) AS first, toString(greatest(toInt64(d.rows) - greatest(toInt64(d.letters) - toInt64(l.set_aside), 0), c.rows, 0)) AS rows
     FROM (
       SELECT range_name AS name, uniqExact(offset) AS letters, uniqExactIf(offset, offset IN (
         SELECT offset FROM ${database}.reports WHERE source = {source:String} AND partition = {partition:UInt32}
           AND offset BETWEEN {first:UInt64} AND {last:UInt64}
       )) AS rows
       FROM ${database}.dead_letters
       WHERE source = {source:String} AND partition = {partition:UInt32} AND range_name IN {names:Array(String)}
       GROUP BY range_name
     ) AS d
     INNER JOIN (
       SELECT name, first, set_aside FROM ${database}.ledger
       WHERE source = {source:String} AND partition = {partition:UInt32} AND name IN {names:Array(String)}
     ) AS l ON d.name = l.name
     LEFT JOIN (
       SELECT first, rows FROM ${database}.corrections FINAL
       WHERE source = {source:String} AND partition = {partition:UInt32} AND kind = 'replay'
     ) AS c ON l.first = c.first`,
    {
      source,
      partition,
      names,
      first: Math.min(...names.map(firstOf), ...offsets),
      last: Math.max(...names.map(lastOf), ...offsets),
    },
  );
  const booked = counts.filter(({ rows }) => Number(rows) > 0);
  if (booked.length === 0) return;
  const rows = booked.map(({ first, rows }) =>
    JSON.stringify({ source, partition, first: Number(first), kind: "replay", rows: Number(rows) }),
  );
  await statements.insert("corrections", "", Buffer.from(`${rows.join("\n")}\n`));
}

/** The first offset of the range of a name. @throws WriteError for a name that is none. */
function firstOf(rangeName: string): number {
  return boundsOf(rangeName)[0];
}

/** The last offset of the range of a name. @throws WriteError for a name that is none. */
function lastOf(rangeName: string): number {
  return boundsOf(rangeName)[1];
}

function boundsOf(rangeName: string): readonly [number, number] {
  const [, first, last] = /\/(\d+)-(\d+)\/[^/]+$/.exec(rangeName) ?? [];
  if (first === undefined || last === undefined)
    throw new WriteError("misconfigured", 0, `${rangeName} is not the name of a range`);
  return [Number(first), Number(last)];
}
