import type { ClickHouseClient } from "@clickhouse/client";
import { DATABASE } from "./seeded-database.js";

/** What one question took: the best of its runs, so that what else the machine does disturbs least. */
interface Measurement {
  readonly name: string;
  readonly wallMs: number;
  /** Of the whole process, in which the engine runs. */
  readonly cpuMs: number;
  readonly rowsRead: number;
  readonly bytesRead: number;
}

const RUNS = 9;
const HOUR_FROM = "2026-10-01 00:00:00";
const HOUR_TO = "2026-11-01 00:00:00";

/** Measures the views against the raw form of the summary of the largest publish; gives a page of Markdown. */
export async function measureViews(client: ClickHouseClient): Promise<string> {
  const [largest] = await rowsOf<{ instance: string; publish: string; devices: string }>(
    client,
    `SELECT instance_id AS instance, publish_id AS publish, toString(uniqExact(device_id)) AS devices
     FROM ${DATABASE}.notifications GROUP BY instance_id, publish_id ORDER BY uniqExact(device_id) DESC LIMIT 1`,
  );
  if (largest === undefined) throw new Error("There are no notifications: seed the folder first");
  const raw = await measure(
    client,
    "raw: one publish from reports, by uniqExact",
    rawByUniqExact(largest),
  );
  const rawGrouped = await measure(
    client,
    "raw: the same, grouped by device",
    rawByDevice(largest),
  );
  const measured = [raw, rawGrouped];
  for (const [name, query] of questions(largest)) measured.push(await measure(client, name, query));
  return [
    `The largest publish has ${Number(largest.devices).toLocaleString("en")} devices.`,
    "",
    "| question | wall, ms | CPU, ms | rows read | bytes read | CPU / raw |",
    "| --- | --- | --- | --- | --- | --- |",
    ...measured.map((one) => lineOf(one, raw)),
    "",
    ...(await storageLines(client)),
  ].join("\n");
}

/** Every figure of publish_summary that uniqExact can give, as one would ask the table of reports. */
function rawByUniqExact({ instance, publish }: { instance: string; publish: string }): string {
  return `SELECT uniqExactIf(device_id, event = 'delivery') AS delivered,
      uniqExactIf(device_id, event = 'delivery' AND app_in_background AND has_displayable_content) AS openable,
      uniqExactIf(device_id, event = 'open') AS opened,
      uniqExact(device_id) - delivered AS opened_without_delivery,
      uniqExact(user_id) AS users, min(received_at), max(received_at), count() AS reports
    FROM ${DATABASE}.reports WHERE instance_id = '${instance}' AND publish_id = '${publish}'`;
}

/** All figures, also those that need what several reports of one device say. */
function rawByDevice({ instance, publish }: { instance: string; publish: string }): string {
  return `SELECT countIf(delivered), countIf(background AND displayable), countIf(opened), countIf(opened AND background AND displayable),
      countIf(opened AND NOT delivered), uniqExactArray(users), min(first), max(last), sum(reports)
    FROM (
      SELECT max(event = 'delivery') AS delivered, max(event = 'open') AS opened,
        maxIf(app_in_background, event = 'delivery') AS background, maxIf(has_displayable_content, event = 'delivery') AS displayable,
        groupUniqArray(user_id) AS users, min(received_at) AS first, max(received_at) AS last, count() AS reports
      FROM ${DATABASE}.reports WHERE instance_id = '${instance}' AND publish_id = '${publish}' GROUP BY device_id
    )`;
}

function questions(at: {
  instance: string;
  publish: string;
}): readonly (readonly [string, string])[] {
  const { instance, publish } = at;
  const view = (name: string, more: string) =>
    `SELECT * FROM ${DATABASE}.${name}(instance = '${instance}', ${more})`;
  const always = "received_from = '2026-01-01 00:00:00', received_to = '2027-01-01 00:00:00'";
  const month = `received_from = '${HOUR_FROM}', received_to = '${HOUR_TO}'`;
  return [
    [
      "publish_summary of that publish",
      `${view("publish_summary", always)} WHERE publish_id = '${publish}'`,
    ],
    ["latest_publishes, 100", view("latest_publishes", "publishes = 100")],
    ["publish_summary, all 500 publishes of the instance", view("publish_summary", always)],
    ["publish_timeline of that publish", view("publish_timeline", `publish = '${publish}'`)],
    [
      "time_to_open of that publish",
      `${view("time_to_open", always)} WHERE publish_id = '${publish}'`,
    ],
    ["instance_hourly, a month", view("instance_hourly", month)],
    ["daily_active_devices, a month", view("daily_active_devices", month)],
    ["daily_active_devices_approx, a month", view("daily_active_devices_approx", month)],
    ["client_quality, a month", view("client_quality", month)],
    ["late_reports, a month, an hour late", view("late_reports", `${month}, late_secs = 3600`)],
    ["user_notifications of one user", view("user_notifications", `user = 'user-77', ${always}`)],
  ];
}

async function measure(
  client: ClickHouseClient,
  name: string,
  query: string,
): Promise<Measurement> {
  let best: Measurement = {
    name,
    wallMs: Number.POSITIVE_INFINITY,
    cpuMs: Number.POSITIVE_INFINITY,
    rowsRead: 0,
    bytesRead: 0,
  };
  for (let run = 0; run < RUNS; run += 1) {
    const cpu = process.cpuUsage();
    const from = performance.now();
    const result = await client.query({ query, format: "JSON" });
    const answer = await result.json<unknown>();
    const wallMs = performance.now() - from;
    const { user, system } = process.cpuUsage(cpu);
    best = {
      name,
      wallMs: Math.min(best.wallMs, wallMs),
      cpuMs: Math.min(best.cpuMs, (user + system) / 1_000),
      rowsRead: answer.statistics?.rows_read ?? 0,
      bytesRead: answer.statistics?.bytes_read ?? 0,
    };
  }
  return best;
}

function lineOf(
  { name, wallMs, cpuMs, rowsRead, bytesRead }: Measurement,
  raw: Measurement,
): string {
  const cells = [
    name,
    wallMs.toFixed(0),
    cpuMs.toFixed(0),
    rowsRead.toLocaleString("en"),
    bytesRead.toLocaleString("en"),
    (cpuMs / raw.cpuMs).toFixed(2),
  ];
  return `| ${cells.join(" | ")} |`;
}

async function storageLines(client: ClickHouseClient): Promise<readonly string[]> {
  const tables = await rowsOf<{ table: string; rows: string; bytes: string; reports: string }>(
    client,
    `SELECT table, toString(sum(rows)) AS rows, toString(sum(bytes_on_disk)) AS bytes,
       (SELECT toString(count()) FROM ${DATABASE}.reports) AS reports
     FROM system.parts WHERE active AND database = '${DATABASE}'
       AND table IN ('reports', 'notifications', 'publish_activity', 'instance_hours')
     GROUP BY table ORDER BY sum(bytes_on_disk) DESC`,
  );
  return [
    "| table | rows | bytes on disk | bytes a report |",
    "| --- | --- | --- | --- |",
    ...tables.map(
      ({ table, rows, bytes, reports }) =>
        `| \`${table}\` | ${Number(rows).toLocaleString("en")} | ${Number(bytes).toLocaleString("en")} | ${(Number(bytes) / Number(reports)).toFixed(1)} |`,
    ),
  ];
}

async function rowsOf<T>(client: ClickHouseClient, query: string): Promise<readonly T[]> {
  const result = await client.query({ query, format: "JSONEachRow" });
  return await result.json<T>();
}
