import { expect } from "@jest/globals";
import { type LoadResult, waitFor } from "@push-reports/test-support";

/** Gives the rows of a `SELECT`. */
type Select = <T>(sql: string) => Promise<readonly T[]>;

/** How long the last rows may take, ms. */
const ROWS_TIMEOUT_MS = 60_000;

/**
 * Waits until the rows of a load have come, then compares: every report that was answered 200 is one row, every other one
 * is at most one. @returns how many were answered 200.
 */
export async function expectExactlyOnce(load: LoadResult, select: Select): Promise<number> {
  const answered = load.reports.filter(({ status }) => status === 200);
  const countRows = async () => {
    const rows = await select<{ device_id: string; n: number | string }>(
      `SELECT device_id, count() AS n FROM reports WHERE instance_id = '${load.instanceId}' GROUP BY device_id`,
    );
    return new Map(rows.map(({ device_id, n }) => [device_id, Number(n)]));
  };
  const missingFrom = (counts: ReadonlyMap<string, number>) =>
    answered.filter(({ deviceId }) => !counts.has(deviceId));
  await waitFor(async () => missingFrom(await countRows()).length === 0, {
    what: "a row for each of the answered reports",
    timeoutMs: ROWS_TIMEOUT_MS,
    intervalMs: 500,
  }).catch(() => undefined);
  const counts = await countRows();
  const sent = new Set(load.reports.map(({ deviceId }) => deviceId));
  const doubled = [...counts].filter(([, n]) => n !== 1);
  const foreign = [...counts.keys()].filter((deviceId) => !sent.has(deviceId));
  expect({ missing: missingFrom(counts), doubled, foreign }).toEqual({
    missing: [],
    doubled: [],
    foreign: [],
  });
  return answered.length;
}
