import type { ClickHouseClient } from "@clickhouse/client";
import { DATABASE } from "./seeded-database.js";

/** Publishes of a seeded database, over four instances and 85 days. */
const PUBLISHES = 2_000;
const INSTANCES = 4;
const DAYS = 85;
/** Devices of the largest publish; the k-th largest has this much divided by k to the power below. */
const LARGEST = 1_000_000;
const POWER = 0.84;
/** Notifications of one insert, about 520,000 reports: as much as a range may hold. */
const CHUNK = 400_000;
const FIRST_INSTANT = "2026-09-01 00:00:00";

interface Publish {
  readonly rank: number;
  /** Notifications of all publishes that began before it. */
  readonly before: number;
  readonly devices: number;
  readonly startsAtSecs: number;
}

/**
 * Writes about 20 million reports over 2,000 publishes into `reports`, so that the materialized views fill the other tables: 97 % of
 * the notifications are delivered, 28 % opened, 4 % of the reports are repetitions, three of five devices have a user, three SDKs. The
 * publishes follow each other in time. Everything but the report ids is the same in every run.
 * @param from first notification, so that a long run can be done in parts.
 */
export async function seedReports(
  client: ClickHouseClient,
  { from, to, progress }: { from: number; to: number; progress: (text: string) => void },
): Promise<void> {
  const publishes = publishesInTime();
  const last = publishes.at(-1);
  const total = (last?.before ?? 0) + (last?.devices ?? 0);
  await client.command({ query: `DROP TABLE IF EXISTS ${DATABASE}.seeded_publishes` });
  await client.command({
    query: `CREATE TABLE ${DATABASE}.seeded_publishes (one UInt8, before UInt64, publish_id String, instance_id UUID, starts_at DateTime64(3, 'UTC'))
      ENGINE = MergeTree ORDER BY before`,
  });
  await client.insert({
    table: `${DATABASE}.seeded_publishes`,
    values: publishes.map(rowOf),
    format: "JSONEachRow",
  });
  for (let first = from; first < Math.min(to, total); first += CHUNK) {
    const count = Math.min(CHUNK, to - first, total - first);
    await client.command({ query: chunkQuery(first, count) });
    progress(`${first + count} of ${total} notifications`);
  }
}

function publishesInTime(): readonly Publish[] {
  const unordered = Array.from({ length: PUBLISHES }, (_, rank) => ({
    rank,
    devices: Math.round(LARGEST / (rank + 1) ** POWER),
    // Multiplicative hashing spreads the sizes over the time.
    startsAtSecs: Math.floor((((rank * 2_654_435_761) % 2 ** 32) / 2 ** 32) * DAYS * 86_400),
  }));
  let before = 0;
  return unordered
    .toSorted((a, b) => a.startsAtSecs - b.startsAtSecs)
    .map((publish) => {
      const placed = { ...publish, before };
      before += publish.devices;
      return placed;
    });
}

function rowOf({ rank, before, startsAtSecs }: Publish) {
  const number = String(rank).padStart(12, "0");
  const startsAt = new Date(Date.parse(`${FIRST_INSTANT}Z`) + startsAtSecs * 1_000).toISOString();
  return {
    one: 1,
    before,
    publish_id: `pubid-${number.slice(-8)}-5eed-4000-8000-${number}`,
    instance_id: `426abfc7-41fe-492f-bcf1-${String(rank % INSTANCES).padStart(12, "0")}`,
    starts_at: startsAt.slice(0, 23).replace("T", " "),
  };
}

/** One insert: hashes of a notification's number decide about its device, its reports and their times. */
function chunkQuery(first: number, count: number): string {
  return `INSERT INTO ${DATABASE}.reports
    (report_id, received_at, instance_id, event, publish_id, device_id, occurred_at, user_id, app_in_background,
     has_displayable_content, has_data, client_library, source, partition, offset)
  SELECT
    generateUUIDv7(), received, instance_id, event, publish_id, device_id, toDateTime(received, 'UTC') - toIntervalSecond(a % 7),
    if(d % 10 < 6, concat('user-', toString(cityHash64(d, instance_id) % 900000)), NULL),
    if(a % 10 = 0, NULL, b % 10 < 8), if(a % 10 = 0, NULL, c % 10 < 9), false, library, 'seed', 0, ${2 * first} + rowNumberInAllBlocks()
  FROM (
    SELECT *,
      arrayJoin(arrayConcat(
        if(a % 100 < 97, [('delivery', 0.)], []), if(a % 100 < 5, [('delivery', 1.)], []),
        if(a % 4 = 3 OR a % 100 >= 97, [('open', 0.)], []), if(a % 400 = 3, [('open', 1.)], []))) AS request,
      request.1 AS event,
      starts_at + toIntervalMillisecond(toUInt64(
        -log((b % 1000000 + 1) / 1000001) * 600000 + if(event = 'open', -log((c % 1000000 + 1) / 1000001) * 3600000, 0)
        + request.2 * 40000)) AS received
    FROM (
      SELECT
        p.publish_id AS publish_id, p.instance_id AS instance_id, p.starts_at AS starts_at,
        cityHash64(n.number, 1) AS a, cityHash64(n.number, 3) AS b, cityHash64(n.number, 4) AS c,
        cityHash64(((n.number - p.before) * 7919 + cityHash64(publish_id)) % 3000000, instance_id) AS d,
        ['', 'push-notifications-android 1.9.2', 'push-notifications-swift 4.0.1', 'push-notifications-android 1.6.0'][d % 4 + 1] AS library,
        concat(['web-', '', 'apns-', ''][d % 4 + 1], lower(hex(sipHash128(d)))) AS device_id
      FROM (SELECT number, 1 AS one FROM numbers(${first}, ${count})) AS n
      ASOF INNER JOIN ${DATABASE}.seeded_publishes AS p ON n.one = p.one AND n.number >= p.before
    )
  )
  SETTINGS deduplicate_blocks_in_dependent_materialized_views = 1, max_insert_block_size = 1000000,
    min_insert_block_size_rows = 1000000, min_insert_block_size_bytes = 1073741824`;
}
