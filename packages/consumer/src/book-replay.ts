import { randomUUID } from "node:crypto";
import type { AskedDatabase } from "./clickhouse-statements.js";
import { type CountedRanges, replayCountsQuery } from "./replay-counts.js";
import { WriteError } from "./report-writer.js";
import type { DeadLetter } from "./selected-dead-letters.js";

/** Books, for the ranges of these dead letters, what was replayed of them. @throws WriteError */
export async function bookReplay(
  asked: AskedDatabase,
  source: string,
  partition: number,
  letters: readonly DeadLetter[],
): Promise<void> {
  const names = [...new Set(letters.map(({ range_name }) => range_name))];
  const offsets = letters.map(({ offset }) => Number(offset));
  const of = {
    ranges:
      "source = {source:String} AND partition = {partition:UInt32} AND name IN {names:Array(String)}",
    records:
      "source = {source:String} AND partition = {partition:UInt32} AND offset BETWEEN {first:UInt64} AND {last:UInt64}",
  };
  await bookReplays(asked, of, {
    source,
    partition,
    names,
    first: Math.min(...names.map(firstOf), ...offsets),
    last: Math.max(...names.map(lastOf), ...offsets),
  });
}

/**
 * Books, for some ranges, how many of all their dead letters are rows by now that were none when the range was complete: a
 * count that comes out the same however often it is taken, so that a replay that died before this line is healed by repeating it.
 * @throws WriteError
 */
export async function bookReplays(
  { statements, database }: AskedDatabase,
  of: CountedRanges,
  params: Readonly<Record<string, unknown>>,
): Promise<void> {
  const booked = await statements.select<ReplayCount>(
    `SELECT source, partition, toString(counts.first) AS first, toString(counts.rows) AS rows
     FROM (${replayCountsQuery(database, of)}) AS counts WHERE counts.rows > 0`,
    params,
  );
  if (booked.length === 0) return;
  const lines = booked.map(({ source, partition, first, rows }) =>
    JSON.stringify({ source, partition, first: Number(first), kind: "replay", rows: Number(rows) }),
  );
  // With a token of its own: the same count as before is to be there again where it is gone.
  await statements.insert("corrections", randomUUID(), Buffer.from(`${lines.join("\n")}\n`));
}

/** Of one range; numbers of 64 bits as text. */
interface ReplayCount {
  readonly source: string;
  readonly partition: number;
  readonly first: string;
  readonly rows: string;
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
