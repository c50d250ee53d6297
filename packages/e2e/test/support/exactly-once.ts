import { expect } from "@jest/globals";
import { type LoadResult, waitFor } from "@push-reports/test-support";

/** Gives the rows of a `SELECT`. */
type Select = <T>(sql: string) => Promise<readonly T[]>;

/** How long the last rows may take, and after them whatever else the log holds, ms. */
const ROWS_TIMEOUT_MS = 60_000;
/** Between two looks, ms. */
const LOOK_EVERY_MS = 500;

/**
 * Waits until the rows of a load have come and nothing is left in the log that could become another one, then compares: every report
 * that was answered 200 is one row, every other one is at most one. Something has to ingest meanwhile. @returns how many were answered 200.
 */
export async function expectExactlyOnce(load: LoadResult, select: Select): Promise<number> {
  const looks = { timeoutMs: ROWS_TIMEOUT_MS, intervalMs: LOOK_EVERY_MS };
  await waitFor(async () => missingFrom(await countRows(load, select), load).length === 0, {
    what: "a row for each of the answered reports",
    ...looks,
    // What is missing is named by the comparison.
  }).catch(() => undefined);
  const since = Date.now();
  const isAllIngested = await waitFor(() => isIngestedTo(since, select), {
    what: "everything that the log holds to be ingested",
    ...looks,
  }).catch(() => false);
  const answered = await expectRowsOnce(load, select);
  expect({ isAllIngested }).toEqual({ isAllIngested: true });
  return answered;
}

/** Compares the rows of a load as they are now, also when nothing ingests. @returns how many were answered 200. */
export async function expectRowsOnce(load: LoadResult, select: Select): Promise<number> {
  const counts = await countRows(load, select);
  const sent = new Set(load.reports.map(({ deviceId }) => deviceId));
  const doubled = [...counts].filter(([, n]) => n !== 1);
  const foreign = [...counts.keys()].filter((deviceId) => !sent.has(deviceId));
  expect({ missing: missingFrom(counts, load), doubled, foreign }).toEqual({
    missing: [],
    doubled: [],
    foreign: [],
  });
  return load.reports.filter(({ status }) => status === 200).length;
}

/** Rows of each device that has any. */
async function countRows(
  { instanceId }: LoadResult,
  select: Select,
): Promise<ReadonlyMap<string, number>> {
  const rows = await select<{ device_id: string; n: number | string }>(
    `SELECT device_id, count() AS n FROM reports WHERE instance_id = '${instanceId}' GROUP BY device_id`,
  );
  return new Map(rows.map(({ device_id, n }) => [device_id, Number(n)]));
}

function missingFrom(counts: ReadonlyMap<string, number>, { reports }: LoadResult) {
  return reports.filter(({ status, deviceId }) => status === 200 && !counts.has(deviceId));
}

/** Whether a look at the end of every partition's log after that time, Unix ms, found all of it ingested; of every topic that is consumed. */
async function isIngestedTo(since: number, select: Select): Promise<boolean> {
  const [row] = await select<Readonly<Record<string, number | string>>>(
    `SELECT sum(known_of_one) AS known, sum(partitions_of_one) AS partitions_of_all, sum(lag_of_one) AS lag,
       toUnixTimestamp64Milli(min(seen)) AS observed
     FROM (
       SELECT count() AS known_of_one, max(partitions) AS partitions_of_one, sum(lag_records) AS lag_of_one, min(observed_at) AS seen
       FROM ingest_freshness GROUP BY source
     )`,
  );
  const { known, partitions_of_all: partitions, lag, observed } = row ?? {};
  return (
    Number(known) > 0 &&
    Number(known) === Number(partitions) &&
    Number(lag) === 0 &&
    Number(observed) >= since
  );
}
