import {
  MAX_ID_UNITS,
  MAX_TIMESTAMP_SECS,
  MAX_USER_ID_UNITS,
  type Report,
  type ReportEvent,
} from "@push-reports/report";

/** What a body alone says of a report; its texts may still hold lone surrogates, and its time a fraction. */
export type AcceptedBody = Omit<Report, "instanceId" | "clientLibrary">;

/** As the SDKs write them. */
const EVENTS: ReadonlyMap<unknown, ReportEvent> = new Map([
  ["delivery", "delivery"],
  ["open", "open"],
  ["Delivery", "delivery"],
  ["Open", "open"],
]);

/**
 * Accepts what the SDKs send when nothing is wrong with it. The schema, which judges everything else and writes every refusal, takes
 * several times as long as all other work on a body.
 * @returns null where the schema has to judge; otherwise what it would have made of it, as test/unit/usual-body.test.ts checks.
 */
export function acceptUsualBody(given: Readonly<Record<string, unknown>>): AcceptedBody | null {
  const { publishId, deviceId, timestampSecs } = given;
  const event = EVENTS.get(given["event"]);
  const userId = given["userId"] ?? null;
  const appInBackground = given["appInBackground"] ?? null;
  const hasDisplayableContent = given["hasDisplayableContent"] ?? null;
  const hasData = given["hasData"] ?? null;
  const isUsual =
    event !== undefined &&
    isText(publishId, MAX_ID_UNITS) &&
    isText(deviceId, MAX_ID_UNITS) &&
    typeof timestampSecs === "number" &&
    timestampSecs >= 0 &&
    timestampSecs <= MAX_TIMESTAMP_SECS &&
    (userId === null || isText(userId, MAX_USER_ID_UNITS)) &&
    isFlag(appInBackground) &&
    isFlag(hasDisplayableContent) &&
    isFlag(hasData);
  if (!isUsual) return null;
  return {
    event,
    publishId,
    deviceId,
    // A negative zero is zero.
    timestampSecs: timestampSecs + 0,
    userId,
    appInBackground,
    hasDisplayableContent,
    hasData,
  };
}

function isText(value: unknown, maxUnits: number): value is string {
  return typeof value === "string" && value !== "" && value.length <= maxUnits;
}

function isFlag(value: unknown): value is boolean | null {
  return value === null || typeof value === "boolean";
}
