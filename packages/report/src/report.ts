/** What happened to a notification on a device. */
export type ReportEvent = "delivery" | "open";

/** Every event, in the order of the database's enumeration. */
export const REPORT_EVENTS: readonly ReportEvent[] = ["delivery", "open"];

/** Longest `publishId` and `deviceId`, in UTF-16 units. */
export const MAX_ID_UNITS = 256;
/** Longest `userId`, in UTF-16 units. */
export const MAX_USER_ID_UNITS = 512;
/** Longest `clientLibrary`, in UTF-16 units. */
export const MAX_CLIENT_LIBRARY_UNITS = 64;
/** Greatest `timestampSecs`: what a ClickHouse `DateTime` can hold (2106-02-07 06:28:15 UTC). */
export const MAX_TIMESTAMP_SECS = 4_294_967_295;

/**
 * The instance that the operators' own probes report for. Its reports are rows like any other, but the analysts' tables and views
 * leave it out; the migrations take it from here.
 */
export const CANARY_INSTANCE_ID = "00000000-0000-0000-0000-000000000001";
/** Header of a report of that instance with the secret that gateway and canary share; without it no such report is taken. */
export const CANARY_HEADER = "x-push-reports-canary";
/** Characters of that secret: fewer could be guessed. */
export const MIN_CANARY_SECRET_LENGTH = 16;

/** The canonical text of a UUID in either case. */
export const UUID_PATTERN = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/**
 * One report as a client sent it, checked and in canonical form. Strings are well-formed UTF-16;
 * `null` means that the client did not say.
 */
export interface Report {
  /** The Beams instance, a lower-case UUID. From the path; Android and iOS repeat it in the body. */
  readonly instanceId: string;
  /** Android and iOS send it capitalised, web in lower case. */
  readonly event: ReportEvent;
  /** The publish request that led to the notification; `pubid-<uuid>` in practice. All clients. */
  readonly publishId: string;
  /** Opaque: `web-<uuid>`, `apns-<uuid>`, a bare UUID on Android. All clients. */
  readonly deviceId: string;
  /** When it happened by the device's clock, Unix seconds, 0 to 4294967295. All clients. */
  readonly timestampSecs: number;
  /** The authenticated user. Web sends null without one, Android and iOS leave the key out. */
  readonly userId: string | null;
  /** The app was in the background. Android and iOS on deliveries, web on both events. */
  readonly appInBackground: boolean | null;
  /** The notification had something to show. Android and iOS on deliveries, web when known. */
  readonly hasDisplayableContent: boolean | null;
  /** The notification carried a data payload. Android and iOS on deliveries, web when known. */
  readonly hasData: boolean | null;
  /** The `x-pusher-library` header, sanitised; "" when there was none (web sends none). */
  readonly clientLibrary: string;
}

/** A report with what the gateway adds when it takes it. */
export interface ReceivedReport extends Report {
  /** Names this request for ever: a UUIDv7 in lower case. */
  readonly reportId: string;
  /** When the gateway read the body, millisecond precision. */
  readonly receivedAt: Date;
}
