import type { Report } from "@push-reports/report";

/** How many different ids a load has. */
export interface Population {
  readonly instances: number;
  readonly publishes: number;
  readonly devices: number;
}

/** What the bench sends unless a case is about it: a day of a few busy customers. */
export const USUAL_POPULATION: Population = {
  instances: 100,
  publishes: 2_000,
  devices: 1_000_000,
};

/** A report as one of the SDKs makes it. */
export interface SdkReport {
  readonly instanceId: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
  /** What the gateway has to understand. */
  readonly report: Report;
}

const BROWSER =
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

/**
 * The `index`-th report of a load, the same at every call: half from Android, three tenths from iOS, the rest from browsers; one in six
 * is an open, two in five have a user. A publish belongs to one instance, a device to one SDK.
 */
export function sdkReport(index: number, population: Population, nowSecs: number): SdkReport {
  const device = scatter(index) % population.devices;
  const publish = scatter(index ^ 0x5bd1e995) % population.publishes;
  const instance = publish % population.instances;
  const chance = scatter(index ^ 0x27d4eb2f);
  const isOpen = chance % 6 === 0;
  const common: Omit<Report, "deviceId" | "clientLibrary"> = {
    instanceId: idOf(
      "c0de",
      population.publishes < population.instances ? index % population.instances : instance,
    ),
    event: isOpen ? "open" : "delivery",
    publishId: `pubid-${idOf("b0de", publish)}`,
    timestampSecs: nowSecs - (chance % 30),
    userId: device % 5 < 2 ? `user-${device % 100_003}` : null,
    appInBackground: isOpen ? null : chance % 10 < 8,
    hasDisplayableContent: isOpen ? null : chance % 100 < 95,
    hasData: isOpen ? null : chance % 100 >= 95,
  };
  const kind = device % 10;
  if (kind < 5) return android(common, idOf("a0de", device));
  if (kind < 8) return ios(common, `apns-${idOf("d0de", device)}`);
  return web(common, `web-${idOf("e0de", device)}`);
}

type Common = Omit<Report, "deviceId" | "clientLibrary">;

function android(common: Common, deviceId: string): SdkReport {
  const clientLibrary = "push-notifications-android 1.10.0";
  return {
    instanceId: common.instanceId,
    headers: {
      "x-pusher-library": clientLibrary,
      "content-type": "application/json; charset=UTF-8",
      "accept-encoding": "gzip",
      "user-agent": "okhttp/3.10.0",
    },
    body: mobileBody(common, deviceId),
    report: { ...common, deviceId, clientLibrary },
  };
}

function ios(common: Common, deviceId: string): SdkReport {
  const clientLibrary = "push-notifications-swift 4.0.1";
  return {
    instanceId: common.instanceId,
    headers: {
      "content-type": "application/json",
      "x-pusher-library": clientLibrary,
      accept: "*/*",
      "accept-language": "en-GB,en;q=0.9",
      "accept-encoding": "gzip, deflate, br",
      "user-agent": "Shop/7 CFNetwork/1492.0.1 Darwin/23.3.0",
    },
    body: mobileBody(common, deviceId),
    report: { ...common, deviceId, clientLibrary },
  };
}

/** Android and iOS capitalise the event, name the instance and leave out what they do not know. */
function mobileBody(common: Common, deviceId: string): Record<string, unknown> {
  const { event, userId, ...rest } = common;
  return {
    event: event === "open" ? "Open" : "Delivery",
    instanceId: rest.instanceId,
    deviceId,
    ...(userId === null ? {} : { userId }),
    publishId: rest.publishId,
    timestampSecs: rest.timestampSecs,
    ...flagsOf(common),
  };
}

function web(common: Common, deviceId: string): SdkReport {
  const { publishId, event, userId, timestampSecs } = common;
  return {
    instanceId: common.instanceId,
    headers: {
      "content-type": "application/json",
      origin: "https://shop.example",
      referer: "https://shop.example/",
      accept: "*/*",
      "accept-encoding": "gzip, deflate, br, zstd",
      "user-agent": BROWSER,
      "sec-fetch-dest": "empty",
      "sec-fetch-mode": "cors",
      "sec-fetch-site": "cross-site",
    },
    body: { publishId, event, deviceId, userId, timestampSecs, ...flagsOf(common) },
    report: { ...common, deviceId, clientLibrary: "" },
  };
}

function flagsOf({ appInBackground, hasDisplayableContent, hasData }: Common) {
  return appInBackground === null ? {} : { appInBackground, hasDisplayableContent, hasData };
}

/** A UUID that differs for every number; ids do not follow each other, as real ones do not. */
function idOf(kind: string, number: number): string {
  const hex = (seed: number) =>
    scatter(number ^ seed)
      .toString(16)
      .padStart(8, "0");
  const [a, b, c] = [hex(0x9e3779b9), hex(0x85ebca6b), hex(0xc2b2ae35)];
  return `${a}-${b.slice(0, 4)}-4${b.slice(5)}-a${c.slice(1, 4)}-${kind}${number.toString(16).padStart(8, "0")}`;
}

/** A 32-bit number that looks random, the same for the same number (the end of MurmurHash3). */
function scatter(number: number): number {
  let mixed = number | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
