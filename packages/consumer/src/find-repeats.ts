import { setImmediate as nextTurn } from "node:timers/promises";
import { AGAIN_HEADER, decodeReport } from "@push-reports/report";
import type { SourceRecord } from "./record-source.js";
import type { RepeatCandidate } from "./stored-reports.js";

/** Records that are looked at before other work may go on. */
const READ_AT_A_TIME = 5_000;
const ID_KEY = '"report_id":"';
const UUID_LENGTH = 36;

/**
 * Finds the records of a range that were sent again and whose report lies at a lower offset of the partition already, in
 * the range or in the database. Only records that carry the header `again` are looked at. A copy without it cannot lie behind one that has it:
 * the gateway sends again in such a way that the broker refuses what arrives later (decision 0005).
 * @param storedAmong says which of the candidates are rows already.
 */
export async function findRepeats(
  records: readonly SourceRecord[],
  storedAmong: (candidates: readonly RepeatCandidate[]) => Promise<ReadonlySet<number>>,
): Promise<ReadonlySet<number>> {
  const candidates: RepeatCandidate[] = [];
  for (const [index, record] of records.entries()) {
    if (index % READ_AT_A_TIME === READ_AT_A_TIME - 1) await nextTurn();
    if (record.headers[AGAIN_HEADER] !== undefined) candidates.push(...candidateOf(record));
  }
  if (candidates.length === 0) return new Set();
  const lowest = await lowestOffsets(records, new Set(candidates.map(({ reportId }) => reportId)));
  const isInRange = ({ reportId, offset }: RepeatCandidate) =>
    (lowest.get(reportId) ?? offset) < offset;
  const elsewhere = candidates.filter((candidate) => !isInRange(candidate));
  const stored = elsewhere.length === 0 ? [] : await storedAmong(elsewhere);
  return new Set([...candidates.filter(isInRange).map(({ offset }) => offset), ...stored]);
}

function candidateOf(record: SourceRecord): readonly RepeatCandidate[] {
  const decoded = decodeReport(record);
  if (!decoded.ok) return [];
  const { reportId, receivedAt } = decoded.report;
  return [{ reportId, offset: record.offset, receivedAt }];
}

/** The lowest offset in the range of each of the reports. */
async function lowestOffsets(
  records: readonly SourceRecord[],
  reportIds: ReadonlySet<string>,
): Promise<ReadonlyMap<string, number>> {
  const lowest = new Map<string, number>();
  for (const [index, record] of records.entries()) {
    if (index % READ_AT_A_TIME === READ_AT_A_TIME - 1) await nextTurn();
    if (!mayBeOneOf(reportIds, record)) continue;
    for (const { reportId, offset } of candidateOf(record))
      if (!lowest.has(reportId)) lowest.set(reportId, offset);
  }
  return lowest;
}

/** Looks for the id where every version of the record form has it, so that a range need not be decoded for a few candidates. */
function mayBeOneOf(reportIds: ReadonlySet<string>, { value }: SourceRecord): boolean {
  const at = value?.indexOf(ID_KEY) ?? -1;
  if (value === null || at < 0) return true;
  const begin = at + ID_KEY.length;
  return reportIds.has(value.toString("latin1", begin, begin + UUID_LENGTH));
}
