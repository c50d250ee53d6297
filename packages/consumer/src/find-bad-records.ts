import { decodeReport } from "@push-reports/report";
import { WriteError } from "./report-writer.js";
import { type BadRecord, type RowLines, selectLines } from "./row-lines.js";

/**
 * Finds the records that the database refuses, without inserting any: each is judged by our own contract first, then the
 * rest is halved against `probe`. One bad record among n costs about 2·log2(n) probes.
 * @param probe resolves when all of the lines would be taken; throws WriteError `bad_record` when at least one would not.
 * @returns none when no record is at fault, and then something else is.
 */
export async function findBadRecords(
  lines: RowLines,
  probe: (lines: RowLines) => Promise<void>,
): Promise<readonly BadRecord[]> {
  const unreadable = lines.records.flatMap((record): readonly BadRecord[] => {
    const decoded = decodeReport(record);
    if (decoded.ok) return [];
    const { reason, detail } = decoded;
    return [{ record, reason, detail, clickHouseCode: 0 }];
  });
  const bad = new Set(unreadable.map(({ record }) => record));
  const readable = bad.size === 0 ? lines : selectLines(lines, (record) => !bad.has(record));
  return [...unreadable, ...(await refusedAmong(readable, probe))];
}

async function refusedAmong(
  lines: RowLines,
  probe: (lines: RowLines) => Promise<void>,
): Promise<readonly BadRecord[]> {
  const [record] = lines.records;
  if (record === undefined) return [];
  const refusal = await refusalOf(lines, probe);
  if (refusal === null) return [];
  if (lines.records.length === 1) return [refused(record, refusal)];
  const middle = Math.ceil(lines.records.length / 2);
  const left = await refusedAmong(
    selectLines(lines, (_, index) => index < middle),
    probe,
  );
  const right = await refusedAmong(
    selectLines(lines, (_, index) => index >= middle),
    probe,
  );
  return [...left, ...right];
}

async function refusalOf(
  lines: RowLines,
  probe: (lines: RowLines) => Promise<void>,
): Promise<WriteError | null> {
  try {
    await probe(lines);
    return null;
  } catch (error) {
    if (error instanceof WriteError && error.failure === "bad_record") return error;
    throw error;
  }
}

function refused(record: BadRecord["record"], { clickHouseCode }: WriteError): BadRecord {
  const detail = `ClickHouse refuses it with code ${clickHouseCode}`;
  return { record, reason: "refused", detail, clickHouseCode };
}
