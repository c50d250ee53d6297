import { decodeReport } from "@push-reports/report";
import type { AskedDatabase } from "./clickhouse-statements.js";
import { formatTime } from "./clickhouse-time.js";
import { uuidList } from "./clickhouse-uuids.js";
import { receiptWindow } from "./receipt-times.js";
import type { SourceRecord } from "./record-source.js";
import { completeRollUps } from "./roll-ups.js";

/** Where dead letters are looked for. */
export interface LettersPlace extends AskedDatabase {
  readonly source: string;
  readonly partition: number;
}

/** Reports of one question, which may have 256 KiB. */
const LOOKED_UP_AT_ONCE = 1_000;

/** Offsets of those records that are rows at their own places. They alone are asked for: far more rows may lie between them. @throws WriteError */
export async function storedAmong(
  place: LettersPlace,
  records: readonly SourceRecord[],
): Promise<ReadonlySet<number>> {
  if (records.length === 0) return new Set();
  const { condition, params } = rowsOf(place, records);
  const rows = await place.statements.select<{ offset: string }>(
    `SELECT DISTINCT toString(offset) AS offset FROM ${place.database}.reports WHERE ${condition}`,
    params,
  );
  return new Set(rows.map(({ offset }) => Number(offset)));
}

/** Merges what the rows of some records say into every roll-up once more: whatever died behind their insert may have left it out. @throws WriteError */
export async function completeViewsOf(
  place: LettersPlace,
  records: readonly SourceRecord[],
): Promise<void> {
  if (records.length === 0) return;
  const { condition, params } = rowsOf(place, records);
  await completeRollUps(place.statements, place.database, condition, params);
}

/** Condition on `reports`: the rows of some records, at their own places. */
function rowsOf({ source, partition }: LettersPlace, records: readonly SourceRecord[]) {
  const { receivedFrom, receivedTo } = receiptWindow(records);
  // Offsets stand in the statement, whose parameters travel in an address.
  const offsets = records.map(({ offset }) => String(offset)).join(", ");
  return {
    condition: `source = {source:String} AND partition = {partition:UInt32} AND reports.offset IN (${offsets})
      AND received_at BETWEEN {from:DateTime64(3, 'UTC')} AND {to:DateTime64(3, 'UTC')}`,
    params: { source, partition, from: formatTime(receivedFrom), to: formatTime(receivedTo) },
  };
}

/**
 * Leaves out what is a row under another offset, or will be: a record that was sent again may have been set aside twice, or only once, and its
 * report id names the request for ever. Copies have the same instance and time of receipt, which bound what is read of `reports`.
 * @param taken ids of reports that will be rows by then; those of the records that are left are added. @throws WriteError
 */
export async function withoutOtherCopies(
  { statements, database }: AskedDatabase,
  records: readonly SourceRecord[],
  taken: Set<string>,
): Promise<readonly SourceRecord[]> {
  const reports = records.map((record) => {
    const decoded = decodeReport(record);
    return decoded.ok ? decoded.report : null;
  });
  const known = reports
    .filter((report) => report !== null)
    .sort((a, b) => a.receivedAt.getTime() - b.receivedAt.getTime());
  for (let at = 0; at < known.length; at += LOOKED_UP_AT_ONCE) {
    const some = known.slice(at, at + LOOKED_UP_AT_ONCE);
    const times = some.map(({ receivedAt }) => `'${formatTime(receivedAt)}'`);
    const rows = await statements.select<{ id: string }>(
      `SELECT DISTINCT toString(report_id) AS id FROM ${database}.reports
       WHERE report_id IN (${uuidList(some.map(({ reportId }) => reportId))})
         AND instance_id IN (${uuidList([...new Set(some.map(({ instanceId }) => instanceId))])})
         AND received_at IN (${[...new Set(times)].join(", ")})`,
      {},
    );
    for (const { id } of rows) taken.add(id);
  }
  return records.filter((_record, index) => {
    const id = reports[index]?.reportId.toLowerCase() ?? null;
    if (id === null) return true;
    if (taken.has(id)) return false;
    taken.add(id);
    return true;
  });
}
