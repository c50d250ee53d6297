import type { AnalystDatabase } from "./database.js";
import type { Row } from "./definitions.js";
import * as definitions from "./definitions.js";
import { type LivedHistory, USERS } from "./histories.js";

const LATE_SECS = 3;
const LATEST = 2;

/** What every view answers about one instance, by name of view and parameter; the order of rows is not compared. */
type Answers = Readonly<Record<string, readonly Row[]>>;

/** What the database answers about each instance of a history. */
export async function answersOf(
  database: AnalystDatabase,
  lived: LivedHistory,
): Promise<readonly Answers[]> {
  const period = { received_from: lived.period.from, received_to: lived.period.to };
  const answers: Answers[] = [];
  for (const instance of lived.instanceIds) {
    const ask = async (view: string, more = {}) =>
      inOrder(await database.ask(view, { instance, ...more }));
    const byPublish: Record<string, readonly Row[]> = {};
    for (const publish of publishesOf(lived, instance))
      byPublish[`publish_timeline ${publish}`] = await ask("publish_timeline", { publish });
    const byUser: Record<string, readonly Row[]> = {};
    for (const user of USERS)
      byUser[`user_notifications ${user}`] = await ask("user_notifications", { user, ...period });
    answers.push({
      publish_summary: await ask("publish_summary", period),
      latest_publishes: await ask("latest_publishes", { publishes: LATEST }),
      time_to_open: await ask("time_to_open", period),
      instance_hourly: await ask("instance_hourly", period),
      daily_active_devices: await ask("daily_active_devices", period),
      daily_active_devices_approx: await ask("daily_active_devices_approx", period),
      client_quality: await ask("client_quality", period),
      late_reports: await ask("late_reports", { ...period, late_secs: LATE_SECS }),
      instances: await database.rows(
        `SELECT * FROM ${database.name}.instances WHERE instance_id = {instance:UUID}`,
        { instance },
      ),
      ...byPublish,
      ...byUser,
    });
  }
  return answers;
}

/** What the definitions say of one instance of a history. */
export function definedAnswers(lived: LivedHistory, instance: string): Answers {
  const { period } = lived;
  const reports = lived.reports.filter(({ instanceId }) => instanceId === instance);
  const publishes = lived.publishes.filter(({ instanceId }) => instanceId === instance);
  const byPublish = publishesOf(lived, instance).map((publish) => [
    `publish_timeline ${publish}`,
    inOrder(definitions.publishTimeline(reports, publish)),
  ]);
  const byUser = USERS.map((user) => [
    `user_notifications ${user}`,
    inOrder(definitions.userNotifications(reports, publishes, user, period)),
  ]);
  return {
    publish_summary: inOrder(definitions.publishSummary(reports, publishes, period)),
    latest_publishes: inOrder(definitions.latestPublishes(reports, publishes, LATEST)),
    time_to_open: inOrder(definitions.timeToOpen(reports, period)),
    instance_hourly: inOrder(definitions.instanceHourly(reports, period)),
    daily_active_devices: inOrder(definitions.dailyActiveDevices(reports, period)),
    daily_active_devices_approx: inOrder(definitions.dailyActiveDevicesApprox(reports, period)),
    client_quality: inOrder(definitions.clientQuality(reports, period)),
    late_reports: inOrder(definitions.lateReports(reports, period, LATE_SECS)),
    instances: definitions.instances(instance, reports),
    ...Object.fromEntries([...byPublish, ...byUser]),
  };
}

function publishesOf(lived: LivedHistory, instance: string): readonly string[] {
  const reports = lived.reports.filter(({ instanceId }) => instanceId === instance);
  return [...new Set(reports.map(({ publishId }) => publishId))];
}

function inOrder(rows: readonly Row[]): readonly Row[] {
  const keyOf = (row: Row) =>
    JSON.stringify(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1)));
  return [...rows].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}
