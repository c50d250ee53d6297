import type { ClickHouseStatements } from "./clickhouse-statements.js";
import { replayCountsQuery } from "./replay-counts.js";
import { WriteError } from "./report-writer.js";
import type { DeadLetter } from "./selected-dead-letters.js";

/**
 * Books, for the ranges of these dead letters, how many of all their dead letters are rows by now that were none when the range was complete: a
 * count that comes out the same however often it is taken, so that a replay that died before this line is healed by repeating it.
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
    `SELECT toString(counts.first) AS first, toString(counts.rows) AS rows FROM (${replayCountsQuery(
      database,
      {
        ranges:
          "source = {source:String} AND partition = {partition:UInt32} AND name IN {names:Array(String)}",
        records:
          "source = {source:String} AND partition = {partition:UInt32} AND offset BETWEEN {first:UInt64} AND {last:UInt64}",
      },
    )}) AS counts`,
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
