import type { ReceivedReport } from "@push-reports/report";

/*
 * The analysts' views in plain words of TypeScript, over a list of reports. Nothing here knows about SQL, states or merges: it is
 * what the views are compared with. Times are Unix milliseconds for what we stamp, seconds for what devices say.
 */

/** A value of a column, as the comparison sees it. */
export type Cell = string | number | boolean | null | readonly string[];
/** One row of a view. */
export type Row = Readonly<Record<string, Cell>>;

/** A half-open stretch of time of receipt. */
export interface Period {
  readonly from: Date;
  readonly to: Date;
}

/** What is known of a publish from elsewhere. */
export interface Publish {
  readonly instanceId: string;
  readonly publishId: string;
  readonly recipients: number | null;
  readonly title: string;
}

/** All reports of one device about one publish. */
interface Notification {
  readonly publishId: string;
  readonly deviceId: string;
  readonly reports: readonly ReceivedReport[];
  readonly deliveries: readonly ReceivedReport[];
  readonly opens: readonly ReceivedReport[];
  readonly isDelivered: boolean;
  readonly isOpened: boolean;
  readonly isOpenable: boolean;
  readonly firstReceivedMs: number;
  readonly timeToOpenSecs: number | null;
}

const receivedMs = (report: ReceivedReport) => report.receivedAt.getTime();
const occurredSecs = (report: ReceivedReport) => report.timestampSecs;

/** Groups reports of one instance. */
function notificationsOf(reports: readonly ReceivedReport[]): readonly Notification[] {
  const groups = groupBy(reports, ({ publishId, deviceId }) =>
    JSON.stringify([publishId, deviceId]),
  );
  return [...groups.values()].map((group) => {
    const [{ publishId, deviceId }] = group;
    const deliveries = group.filter(({ event }) => event === "delivery");
    const opens = group.filter(({ event }) => event === "open");
    const isDelivered = deliveries.length > 0;
    const isOpened = opens.length > 0;
    return {
      publishId,
      deviceId,
      reports: group,
      deliveries,
      opens,
      isDelivered,
      isOpened,
      isOpenable:
        deliveries.some(({ appInBackground }) => appInBackground === true) &&
        deliveries.some(({ hasDisplayableContent }) => hasDisplayableContent === true),
      firstReceivedMs: least(group.map(receivedMs)) as number,
      timeToOpenSecs:
        isDelivered && isOpened
          ? Math.max(
              0,
              (least(opens.map(occurredSecs)) as number) -
                (least(deliveries.map(occurredSecs)) as number),
            )
          : null,
    };
  });
}

export function publishSummary(
  reports: readonly ReceivedReport[],
  publishes: readonly Publish[],
  period: Period,
): readonly Row[] {
  return publishesIn(reports, period).map(({ publishId, of }) => {
    const notifications = notificationsOf(of);
    const count = (is: (notification: Notification) => boolean) => notifications.filter(is).length;
    const known = publishes.find((publish) => publish.publishId === publishId);
    const recipients = known?.recipients ?? null;
    const delivered = count(({ isDelivered }) => isDelivered);
    const openable = count(({ isOpenable }) => isOpenable);
    const opened = count(({ isOpened }) => isOpened);
    const openedOpenable = count(({ isOpened, isOpenable }) => isOpened && isOpenable);
    const repeated = of.length - delivered - opened;
    return {
      publish_id: publishId,
      title: known?.title ?? "",
      recipients,
      delivered,
      openable,
      opened,
      opened_openable: openedOpenable,
      opened_without_delivery: count(({ isOpened, isDelivered }) => isOpened && !isDelivered),
      open_rate: ratio(openedOpenable, openable),
      opened_per_openable: ratio(opened, openable),
      opens_per_delivery: ratio(opened, delivered),
      acknowledgement_rate: ratio(delivered, recipients ?? 0),
      users: usersOf(of).length,
      first_received_at: timeText(least(of.map(receivedMs)) as number),
      last_received_at: timeText(greatest(of.map(receivedMs)) as number),
      reports: of.length,
      repeated_reports: repeated,
      repeated_share: ratio(repeated, of.length),
    };
  });
}

export function latestPublishes(
  reports: readonly ReceivedReport[],
  publishes: readonly Publish[],
  limit: number,
): readonly Row[] {
  const all = publishSummary(reports, publishes, { from: new Date(0), to: new Date(8e15) });
  return [...all]
    .sort(
      (a, b) =>
        String(b["first_received_at"]).localeCompare(String(a["first_received_at"])) ||
        (String(a["publish_id"]) < String(b["publish_id"]) ? -1 : 1),
    )
    .slice(0, limit);
}

export function publishTimeline(
  reports: readonly ReceivedReport[],
  publishId: string,
): readonly Row[] {
  const of = reports.filter((report) => report.publishId === publishId);
  if (of.length === 0) return [];
  const deliveries = of.filter(({ event }) => event === "delivery");
  const origin = least((deliveries.length > 0 ? deliveries : of).map(receivedMs)) as number;
  const minuteOf = (ms: number) => Math.floor((ms - origin) / 60_000);
  const notifications = notificationsOf(of);
  const delivered = notifications.filter(({ isDelivered }) => isDelivered);
  const deliveredIn = ({ deliveries }: Notification) =>
    minuteOf(least(deliveries.map(receivedMs)) as number);
  const openedIn = notifications
    .filter(({ isOpened }) => isOpened)
    .map(({ opens }) => minuteOf(least(opens.map(receivedMs)) as number));
  const minutes = [...new Set([...delivered.map(deliveredIn), ...openedIn])];
  return minutes.map((minute) => {
    const inMinute = delivered.filter((one) => deliveredIn(one) === minute);
    const soFar = delivered.filter((one) => deliveredIn(one) <= minute);
    return {
      minute,
      hour: Math.floor(minute / 60),
      starts_at: timeText(origin + minute * 60_000),
      delivered: inMinute.length,
      openable: inMinute.filter(({ isOpenable }) => isOpenable).length,
      opened: openedIn.filter((one) => one === minute).length,
      delivered_so_far: soFar.length,
      openable_so_far: soFar.filter(({ isOpenable }) => isOpenable).length,
      opened_so_far: openedIn.filter((one) => one <= minute).length,
    };
  });
}

export function timeToOpen(reports: readonly ReceivedReport[], period: Period): readonly Row[] {
  return publishesIn(reports, period).map(({ publishId, of }) => {
    const times = notificationsOf(of).flatMap(({ timeToOpenSecs }) => timeToOpenSecs ?? []);
    return {
      publish_id: publishId,
      devices: times.length,
      p50_secs: percentile(times, 0.5),
      p90_secs: percentile(times, 0.9),
      p99_secs: percentile(times, 0.99),
    };
  });
}

export function userNotifications(
  reports: readonly ReceivedReport[],
  publishes: readonly Publish[],
  userId: string,
  period: Period,
): readonly Row[] {
  return notificationsOf(reports)
    .filter(({ reports: of }) => of.some((report) => report.userId === userId))
    .filter(({ firstReceivedMs }) => isWithin(period, firstReceivedMs))
    .map((notification) => {
      const { publishId, deviceId, reports: of, deliveries, opens } = notification;
      return {
        publish_id: publishId,
        title: publishes.find((publish) => publish.publishId === publishId)?.title ?? "",
        device_id: deviceId,
        client_library:
          of
            .map(({ clientLibrary }) => clientLibrary)
            .sort()
            .at(-1) ?? "",
        first_delivered_at: secsText(least(deliveries.map(occurredSecs))),
        first_opened_at: secsText(least(opens.map(occurredSecs))),
        first_delivery_received_at: timeText(least(deliveries.map(receivedMs))),
        first_open_received_at: timeText(least(opens.map(receivedMs))),
        first_received_at: timeText(notification.firstReceivedMs),
        is_delivered: Number(notification.isDelivered),
        is_openable: Number(notification.isOpenable),
        is_opened: Number(notification.isOpened),
        time_to_open_secs: notification.timeToOpenSecs,
      };
    });
}

/** The estimates of distinct things are exact for as few as the histories have. */
export function instanceHourly(reports: readonly ReceivedReport[], period: Period): readonly Row[] {
  const hours = groupBy(reports, (report) => Math.floor(receivedMs(report) / 3_600_000));
  return [...hours]
    .filter(([hour]) => isWithin(period, hour * 3_600_000))
    .map(([hour, of]) => {
      const deliveries = of.filter(({ event }) => event === "delivery");
      const opens = of.filter(({ event }) => event === "open");
      const delivered = notificationsOf(deliveries).length;
      const opened = notificationsOf(opens).length;
      const openable = notificationsOf(
        deliveries.filter(
          ({ appInBackground, hasDisplayableContent }) => appInBackground && hasDisplayableContent,
        ),
      ).length;
      return {
        hour: timeText(hour * 3_600_000)?.slice(0, 19) ?? null,
        reports: of.length,
        delivery_reports: deliveries.length,
        open_reports: opens.length,
        delivered_approx: delivered,
        openable_approx: openable,
        opened_approx: opened,
        devices_approx: devicesOf(of).length,
        users_approx: usersOf(of).length,
        opened_per_openable_approx: ratio(opened, openable),
        opens_per_delivery_approx: ratio(opened, delivered),
      };
    });
}

export function dailyActiveDevices(
  reports: readonly ReceivedReport[],
  period: Period,
): readonly Row[] {
  const within = reports.filter((report) => isWithin(period, receivedMs(report)));
  return [...groupBy(within, dayOf)].map(([day, of]) => ({
    day,
    devices: devicesOf(of).length,
    opening_devices: devicesOf(of.filter(({ event }) => event === "open")).length,
    users: usersOf(of).length,
  }));
}

/** As {@link dailyActiveDevices}, of the whole hours that begin in the period. */
export function dailyActiveDevicesApprox(
  reports: readonly ReceivedReport[],
  period: Period,
): readonly Row[] {
  const within = reports.filter((report) =>
    isWithin(period, Math.floor(receivedMs(report) / 3_600_000) * 3_600_000),
  );
  return [...groupBy(within, dayOf)].map(([day, of]) => ({
    day,
    devices_approx: devicesOf(of).length,
    users_approx: usersOf(of).length,
  }));
}

export function clientQuality(reports: readonly ReceivedReport[], period: Period): readonly Row[] {
  const within = reports.filter((report) => isWithin(period, receivedMs(report)));
  return [...groupBy(within, ({ clientLibrary }) => clientLibrary)].map(([library, of]) => {
    const deliveries = of.filter(({ event }) => event === "delivery");
    const late = of.map(lateSecs);
    const shareOf = (is: (report: ReceivedReport) => boolean) =>
      ratio(of.filter(is).length, of.length);
    const withoutShare = (flag: "appInBackground" | "hasDisplayableContent" | "hasData") =>
      ratio(deliveries.filter((report) => report[flag] === null).length, deliveries.length);
    const distinct = groupBy(of, ({ publishId, deviceId, event }) =>
      JSON.stringify([publishId, deviceId, event]),
    ).size;
    return {
      client_library: library,
      reports: of.length,
      delivery_reports: deliveries.length,
      open_reports: of.length - deliveries.length,
      devices: devicesOf(of).length,
      repeated_reports: of.length - distinct,
      repeated_share: ratio(of.length - distinct, of.length),
      late_p50_secs: percentile(late, 0.5),
      late_p90_secs: percentile(late, 0.9),
      late_p99_secs: percentile(late, 0.99),
      late_share: shareOf((report) => lateSecs(report) >= 3_600),
      clock_ahead_share: shareOf((report) => lateSecs(report) < -1),
      clock_ahead_max_secs: Math.max(0, -(least(late) as number)),
      without_app_in_background_share: withoutShare("appInBackground"),
      without_displayable_content_share: withoutShare("hasDisplayableContent"),
      without_has_data_share: withoutShare("hasData"),
    };
  });
}

export function lateReports(
  reports: readonly ReceivedReport[],
  period: Period,
  atLeastSecs: number,
): readonly Row[] {
  return reports
    .filter((report) => isWithin(period, receivedMs(report)) && lateSecs(report) >= atLeastSecs)
    .map((report) => ({
      received_at: timeText(receivedMs(report)),
      occurred_at: secsText(report.timestampSecs),
      late_secs: lateSecs(report),
      event: report.event,
      publish_id: report.publishId,
      device_id: report.deviceId,
      user_id: report.userId,
      client_library: report.clientLibrary,
      report_id: report.reportId,
    }));
}

export function instances(instanceId: string, reports: readonly ReceivedReport[]): readonly Row[] {
  if (reports.length === 0) return [];
  return [
    {
      instance_id: instanceId,
      publishes: new Set(reports.map(({ publishId }) => publishId)).size,
      first_received_at: timeText(least(reports.map(receivedMs))),
      last_received_at: timeText(greatest(reports.map(receivedMs))),
    },
  ];
}

/** Publishes whose first report was received in the period, each with all its reports. */
function publishesIn(reports: readonly ReceivedReport[], period: Period) {
  return [...groupBy(reports, ({ publishId }) => publishId)]
    .map(([publishId, of]) => ({ publishId, of }))
    .filter(({ of }) => isWithin(period, least(of.map(receivedMs)) as number));
}

const isWithin = ({ from, to }: Period, ms: number) => from.getTime() <= ms && ms < to.getTime();
const lateSecs = (report: ReceivedReport) =>
  Math.floor(receivedMs(report) / 1_000) - report.timestampSecs;
const dayOf = ({ receivedAt }: ReceivedReport) => receivedAt.toISOString().slice(0, 10);
const devicesOf = (reports: readonly ReceivedReport[]) => [
  ...new Set(reports.map(({ deviceId }) => deviceId)),
];
const usersOf = (reports: readonly ReceivedReport[]) => [
  ...new Set(reports.flatMap(({ userId }) => userId ?? [])),
];
const ratio = (part: number, whole: number) => (whole === 0 ? null : part / whole);
const least = (values: readonly number[]) =>
  values.length === 0 ? null : values.reduce((a, b) => Math.min(a, b));
const greatest = (values: readonly number[]) =>
  values.length === 0 ? null : values.reduce((a, b) => Math.max(a, b));

/** The value at position floor(p · n) of the n sorted values, from 0. */
function percentile(values: readonly number[], p: number): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(p * sorted.length)] ?? null;
}

function timeText(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString().replace("T", " ").slice(0, 23);
}

function secsText(secs: number | null): string | null {
  return timeText(secs === null ? null : secs * 1_000)?.slice(0, 19) ?? null;
}

function groupBy<T, K>(values: readonly T[], keyOf: (value: T) => K): Map<K, [T, ...T[]]> {
  const groups = new Map<K, [T, ...T[]]>();
  for (const value of values) {
    const group = groups.get(keyOf(value));
    if (group === undefined) groups.set(keyOf(value), [value]);
    else group.push(value);
  }
  return groups;
}
