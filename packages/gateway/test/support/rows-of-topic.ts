import { AGAIN_HEADER } from "@push-reports/report";
import { readTopic } from "@push-reports/test-support";

/** What a topic holds, as the consumer sees it. */
export interface TopicRows {
  /** Report ids of the rows that it makes: a record marked `again` whose report lies at a lower offset of its partition makes none. */
  readonly rows: readonly string[];
  /** Records that make no row. */
  readonly repeated: number;
  /** Records that are marked. */
  readonly again: number;
}

/** Reads a topic and drops what was sent again and lies there already, as the consumer does. */
export async function rowsOfTopic(brokers: readonly string[], topic: string): Promise<TopicRows> {
  const records = await readTopic(brokers, topic);
  const seen = new Set<string>();
  const rows: string[] = [];
  let again = 0;
  for (const { partition, value, headers } of records) {
    const { report_id: id } = JSON.parse(String(value)) as { readonly report_id: string };
    const isAgain = headers[AGAIN_HEADER] !== undefined;
    if (isAgain) again += 1;
    if (!isAgain || !seen.has(`${partition}/${id}`)) rows.push(id);
    seen.add(`${partition}/${id}`);
  }
  return { rows, repeated: records.length - rows.length, again };
}
