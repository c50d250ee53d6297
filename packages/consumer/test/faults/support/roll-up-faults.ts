import type { Pipeline } from "../../support/pipeline.js";

/** The same figures twice: as a roll-up has them, and as they follow from the rows. */
interface Comparison {
  readonly name: string;
  /** Columns and tables of queries that give a row by key; `{database}` stands for the database. */
  readonly rolledUp: string;
  readonly fromRows: string;
}

const COMPARISONS: readonly Comparison[] = [
  {
    name: "notifications",
    rolledUp: `received_month, instance_id, publish_id, device_id,
      arrayMap(bit -> bitTest(facts, bit), range(8)),
      first_delivered_at, first_delivery_received_at, first_opened_at, first_open_received_at, last_received_at,
      arraySort(user_ids), client_library
      FROM {database}.notifications FINAL`,
    fromRows: `toStartOfMonth(toDate(received_at)) AS month, instance_id, publish_id, device_id,
      arrayMap(fact -> toUInt8(fact), [
        countIf(event = 'delivery') > 0,
        countIf(event = 'open') > 0,
        countIf(event = 'delivery' AND app_in_background = true) > 0,
        countIf(event = 'delivery' AND app_in_background = false) > 0,
        countIf(event = 'delivery' AND has_displayable_content = true) > 0,
        countIf(event = 'delivery' AND has_displayable_content = false) > 0,
        countIf(event = 'delivery' AND has_data = true) > 0,
        countIf(event = 'delivery' AND has_data = false) > 0]),
      minOrNullIf(occurred_at, event = 'delivery'), minOrNullIf(received_at, event = 'delivery'),
      minOrNullIf(occurred_at, event = 'open'), minOrNullIf(received_at, event = 'open'), max(received_at),
      arraySort(groupUniqArray(user_id)), max(client_library)
      FROM {database}.reports GROUP BY month, instance_id, publish_id, device_id`,
  },
  {
    name: "publish_activity",
    rolledUp: `received_month, instance_id, publish_id, first_received_at, first_delivery_received_at, last_received_at
      FROM {database}.publish_activity FINAL`,
    fromRows: `toStartOfMonth(toDate(received_at)) AS month, instance_id, publish_id,
      min(received_at), minOrNullIf(received_at, event = 'delivery'), max(received_at)
      FROM {database}.reports GROUP BY month, instance_id, publish_id`,
  },
  {
    // Sketches of so few things count exactly.
    name: "instance_hours",
    rolledUp: `instance_id, hour, uniqCombined64Merge(12)(delivered), uniqCombined64Merge(12)(openable),
      uniqCombined64Merge(12)(opened), uniqCombined64Merge(12)(devices), uniqCombined64Merge(12)(users)
      FROM {database}.instance_hours GROUP BY instance_id, hour`,
    fromRows: `instance_id, toStartOfHour(toDateTime(received_at)) AS hour,
      uniqExactIf((publish_id, device_id), event = 'delivery'),
      uniqExactIf((publish_id, device_id), event = 'delivery' AND app_in_background AND has_displayable_content),
      uniqExactIf((publish_id, device_id), event = 'open'), uniqExact(device_id), uniqExact(user_id)
      FROM {database}.reports GROUP BY instance_id, hour`,
  },
];

/** Views that are empty in a healthy system. */
const ALARMS = ["ingest_gaps", "ingest_overlaps"];

/** The database of a pipeline. */
type ReadDatabase = Pick<Pipeline, "clickHouse" | "database">;

/** Every way in which the roll-ups are not what the rows say, and what the views of the ledger object to. */
export async function rollUpFaults(pipeline: ReadDatabase): Promise<readonly string[]> {
  const faults: string[] = [];
  for (const { name, rolledUp, fromRows } of COMPARISONS) {
    const [actual, expected] = [await rowsOf(rolledUp, pipeline), await rowsOf(fromRows, pipeline)];
    faults.push(
      ...[...actual].filter((row) => !expected.has(row)).map((row) => `${name} has ${row}`),
      ...[...expected].filter((row) => !actual.has(row)).map((row) => `${name} lacks ${row}`),
    );
  }
  for (const view of ALARMS)
    for (const row of await rowsOf(`* FROM {database}.${view}`, pipeline))
      faults.push(`${view} has ${row}`);
  const rash = `partition, next_offset, end FROM {database}.ingest_freshness AS f
    LEFT JOIN (SELECT partition, max(last) + 1 AS end FROM {database}.ledger GROUP BY partition) AS l USING (partition)
    WHERE next_offset > end`;
  for (const row of await rowsOf(rash, pipeline))
    faults.push(`ingest_freshness calls more complete than the ledger: ${row}`);
  return faults;
}

/** Each row as one text; a key is in it, so no two are alike. */
async function rowsOf(
  select: string,
  { clickHouse, database }: ReadDatabase,
): Promise<Set<string>> {
  const query = `SELECT ${select.replaceAll("{database}", database)}`;
  const answer = await clickHouse.query({ query, format: "JSONCompactEachRow" });
  return new Set((await answer.json<readonly unknown[]>()).map((row) => JSON.stringify(row)));
}
