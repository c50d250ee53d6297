import { AGAIN_HEADER, decodeReport } from "@push-reports/report";
import type { SourceRecord } from "./record-source.js";
import type { RepeatCandidate } from "./stored-reports.js";

/**
 * Finds the records of a range that were sent again and whose report lies at a lower offset of the partition already, in
 * the range or in the database. Only records that carry the header `again` are looked at.
 * @param storedAmong says which of the candidates are rows at a lower offset.
 */
export async function findRepeats(
  records: readonly SourceRecord[],
  storedAmong: (candidates: readonly RepeatCandidate[]) => Promise<ReadonlySet<number>>,
): Promise<ReadonlySet<number>> {
  const candidates = records
    .filter((record) => record.headers[AGAIN_HEADER] !== undefined)
    .flatMap(candidateOf);
  if (candidates.length === 0) return new Set();
  const lowest = lowestOffsets(records);
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

function lowestOffsets(records: readonly SourceRecord[]): ReadonlyMap<string, number> {
  const lowest = new Map<string, number>();
  for (const candidate of records.flatMap(candidateOf)) {
    if (!lowest.has(candidate.reportId)) lowest.set(candidate.reportId, candidate.offset);
  }
  return lowest;
}
