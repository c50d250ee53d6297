import { randomUUID } from "node:crypto";
import type { ReceivedReport } from "@push-reports/report";
import fc from "fast-check";
import type { Period, Publish } from "./definitions.js";

/** Instances of one history. */
const INSTANCES = [0, 1] as const;
/** Users of one history. */
export const USERS = ["u-1", "u'2 ü"] as const;
const PUBLISHES = ["pubid-1", `pubid'2 "ü"`] as const;
const DEVICES = ["web-1", "apns-2", "3", "web-4"] as const;
const LIBRARIES = ["", "push-notifications-android 1.6.0", "push-notifications-swift 4.0.1"];

/** Half an hour before a month ends, so that the reports of one notification often lie in two partitions. */
const START_MS = Date.parse("2026-03-31T23:30:00.000Z");
const HOUR_MS = 3_600_000;
const DAY_SECS = 86_400;

/** One report that a device made, and where in the log its requests went. */
interface Made {
  readonly instance: (typeof INSTANCES)[number];
  readonly publishId: string;
  readonly deviceId: string;
  readonly event: "delivery" | "open";
  readonly receivedOffsetMs: number;
  /** How long after the event by the device's clock it was received; negative when that clock is ahead. */
  readonly lateSecs: number;
  readonly userId: string | null;
  readonly appInBackground: boolean | null;
  readonly hasDisplayableContent: boolean | null;
  readonly hasData: boolean | null;
  readonly clientLibrary: string;
  /** The first request and its repetitions by the client: how much later it came, and its place in the log. */
  readonly requests: readonly { readonly laterMs: number; readonly place: number }[];
}

/** What happened, and how it came into the database. */
export interface History {
  readonly made: readonly Made[];
  /** Lengths of ranges, taken in turn. */
  readonly rangeLengths: readonly number[];
  /** Whether the range of that number is written twice. */
  readonly writtenTwice: readonly boolean[];
  readonly publishes: readonly {
    readonly instance: (typeof INSTANCES)[number];
    readonly publishId: string;
    readonly recipients: number | null;
  }[];
  readonly periodFromMs: number;
  readonly periodMs: number;
}

const flag = fc.constantFrom(true, true, false, null);
const sometimeMs = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 2 * HOUR_MS }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 70 * 24 * HOUR_MS }) },
);

const made: fc.Arbitrary<Made> = fc.record({
  instance: fc.constantFrom(...INSTANCES),
  publishId: fc.constantFrom(...PUBLISHES),
  deviceId: fc.constantFrom(...DEVICES),
  event: fc.constantFrom("delivery", "delivery", "open"),
  receivedOffsetMs: sometimeMs,
  lateSecs: fc.oneof(
    fc.integer({ min: -2, max: 5 }),
    fc.integer({ min: -7_200, max: 4 * DAY_SECS }),
  ),
  userId: fc.option(fc.constantFrom(...USERS)),
  appInBackground: flag,
  hasDisplayableContent: flag,
  hasData: flag,
  clientLibrary: fc.constantFrom(...LIBRARIES),
  requests: fc.array(
    fc.record({
      laterMs: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 3 * HOUR_MS })),
      place: fc.nat(1_000),
    }),
    { minLength: 1, maxLength: 3 },
  ),
});

/** Histories of a few devices: enough collisions of publish, device and event to matter. */
export const histories: fc.Arbitrary<History> = fc.record({
  made: fc.array(made, { minLength: 1, maxLength: 100, size: "max" }),
  rangeLengths: fc.array(fc.integer({ min: 1, max: 25 }), { minLength: 1, maxLength: 6 }),
  writtenTwice: fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }),
  publishes: fc.array(
    fc.record({
      instance: fc.constantFrom(...INSTANCES),
      publishId: fc.constantFrom(...PUBLISHES),
      recipients: fc.option(fc.nat(10)),
    }),
    { maxLength: 4 },
  ),
  periodFromMs: fc.oneof(fc.constant(0), sometimeMs),
  periodMs: fc.oneof(fc.constant(90 * 24 * HOUR_MS), sometimeMs),
});

/** A history with instances and reports of its own, so that many can share a database. */
export interface LivedHistory {
  readonly instanceIds: readonly string[];
  readonly reports: readonly ReceivedReport[];
  readonly ranges: readonly {
    readonly reports: readonly ReceivedReport[];
    readonly times: number;
  }[];
  readonly publishes: readonly Publish[];
  readonly period: Period;
}

/** Gives a history its ids, its order in the log and its ranges. */
export function live(history: History): LivedHistory {
  const instanceIds = INSTANCES.map(() => randomUUID());
  const idOf = (instance: number) => instanceIds[instance] as string;
  const placed = history.made.flatMap(
    ({ instance, receivedOffsetMs, lateSecs, requests, ...said }) =>
      requests.map(({ laterMs, place }) => ({
        place,
        report: {
          ...said,
          instanceId: idOf(instance),
          timestampSecs: Math.floor((START_MS + receivedOffsetMs) / 1_000) - lateSecs,
          reportId: randomUUID(),
          receivedAt: new Date(START_MS + receivedOffsetMs + laterMs),
        } satisfies ReceivedReport,
      })),
  );
  const reports = placed.sort((a, b) => a.place - b.place).map(({ report }) => report);
  const latest = new Map(
    history.publishes.map(({ instance, publishId, recipients }) => [
      `${instance} ${publishId}`,
      { instanceId: idOf(instance), publishId, recipients, title: `Title of ${publishId}` },
    ]),
  );
  const from = new Date(START_MS + history.periodFromMs);
  return {
    instanceIds,
    reports,
    ranges: rangesOf(reports, history),
    publishes: [...latest.values()],
    period: { from, to: new Date(from.getTime() + history.periodMs) },
  };
}

function rangesOf(reports: readonly ReceivedReport[], history: History): LivedHistory["ranges"] {
  const { rangeLengths, writtenTwice } = history;
  const ranges: { reports: readonly ReceivedReport[]; times: number }[] = [];
  for (let at = 0; at < reports.length; ) {
    const length = rangeLengths[ranges.length % rangeLengths.length] as number;
    const times = writtenTwice[ranges.length % writtenTwice.length] ? 2 : 1;
    ranges.push({ reports: reports.slice(at, at + length), times });
    at += length;
  }
  return ranges;
}
