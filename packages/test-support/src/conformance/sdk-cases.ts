import {
  accepts,
  CONFORMANCE_INSTANCE_ID,
  type ConformanceCase,
  JSON_TYPE,
  missing,
  refuses,
  VALID,
} from "./conformance-case.js";

/** The real requests of the three SDKs, from their public sources. */
export const SDK_CASES: readonly ConformanceCase[] = [
  accepts(
    "What the SDKs send",
    "a delivery from Android",
    {
      headers: {
        "content-type": "application/json; charset=UTF-8",
        "x-pusher-library": "push-notifications-android 1.10.0",
        "user-agent": "okhttp/3.10.0",
      },
      body: {
        event: "Delivery",
        instanceId: CONFORMANCE_INSTANCE_ID,
        deviceId: "8d4a02c1-9c80-41ba-8d9e-9b7c4b0b7d1a",
        userId: "user-1",
        publishId: VALID.publishId,
        timestampSecs: 1_700_000_000,
        appInBackground: true,
        hasDisplayableContent: true,
        hasData: false,
      },
    },
    {
      device_id: "8d4a02c1-9c80-41ba-8d9e-9b7c4b0b7d1a",
      user_id: "user-1",
      app_in_background: true,
      has_displayable_content: true,
      has_data: false,
      client_library: "push-notifications-android 1.10.0",
    },
  ),
  accepts(
    "What the SDKs send",
    "an open from Android, on a connection of its own",
    {
      headers: {
        "content-type": "application/json; charset=UTF-8",
        "x-pusher-library": "push-notifications-android 1.10.0",
        "user-agent": "okhttp/3.10.0",
        host: `${CONFORMANCE_INSTANCE_ID}.pushnotifications.example.com`,
        connection: "close",
        "accept-encoding": "gzip",
      },
      body: {
        event: "Open",
        instanceId: CONFORMANCE_INSTANCE_ID,
        deviceId: "8d4a02c1-9c80-41ba-8d9e-9b7c4b0b7d1a",
        publishId: VALID.publishId,
        timestampSecs: 1_700_000_009,
      },
    },
    {
      event: "open",
      device_id: "8d4a02c1-9c80-41ba-8d9e-9b7c4b0b7d1a",
      occurred_at: 1_700_000_009,
      client_library: "push-notifications-android 1.10.0",
    },
  ),
  accepts(
    "What the SDKs send",
    "a delivery from iOS",
    {
      headers: {
        ...JSON_TYPE,
        "x-pusher-library": "push-notifications-swift 4.0.1",
        "user-agent": "Shop/7 CFNetwork/1492.0.1 Darwin/23.3.0",
        "accept-language": "en-GB,en;q=0.9",
        accept: "*/*",
      },
      body: {
        appInBackground: true,
        deviceId: "apns-0b0b2b1c-8d9e-4c80-91ba-9b7c4b0b7d1a",
        event: "Delivery",
        hasData: true,
        hasDisplayableContent: true,
        instanceId: CONFORMANCE_INSTANCE_ID,
        publishId: VALID.publishId,
        timestampSecs: 1_700_000_003,
        userId: "user-1",
      },
    },
    {
      device_id: "apns-0b0b2b1c-8d9e-4c80-91ba-9b7c4b0b7d1a",
      occurred_at: 1_700_000_003,
      user_id: "user-1",
      app_in_background: true,
      has_displayable_content: true,
      has_data: true,
      client_library: "push-notifications-swift 4.0.1",
    },
  ),
  accepts(
    "What the SDKs send",
    "an open from iOS, which has no user",
    {
      headers: { ...JSON_TYPE, "x-pusher-library": "push-notifications-swift 4.0.1" },
      body: {
        event: "Open",
        instanceId: CONFORMANCE_INSTANCE_ID,
        deviceId: "apns-0b0b2b1c-8d9e-4c80-91ba-9b7c4b0b7d1a",
        publishId: VALID.publishId,
        timestampSecs: 1_700_000_009,
      },
    },
    {
      event: "open",
      device_id: "apns-0b0b2b1c-8d9e-4c80-91ba-9b7c4b0b7d1a",
      occurred_at: 1_700_000_009,
      client_library: "push-notifications-swift 4.0.1",
    },
  ),
  accepts(
    "What the SDKs send",
    "a delivery from the web, as a browser sends it for a service worker",
    {
      headers: {
        ...JSON_TYPE,
        origin: "https://shop.example",
        referer: "https://shop.example/",
        accept: "*/*",
        "accept-encoding": "gzip, deflate, br, zstd",
        "user-agent":
          "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
        "sec-fetch-dest": "empty",
        "sec-fetch-mode": "cors",
        "sec-fetch-site": "cross-site",
      },
      body: {
        publishId: VALID.publishId,
        event: "delivery",
        deviceId: VALID.deviceId,
        userId: null,
        timestampSecs: 1_700_000_001,
        appInBackground: true,
        hasDisplayableContent: true,
      },
    },
    { occurred_at: 1_700_000_001, app_in_background: true, has_displayable_content: true },
  ),
  accepts(
    "What the SDKs send",
    "an open from the web, whose user is null and which keeps its flags",
    {
      headers: { ...JSON_TYPE, origin: "https://shop.example" },
      body: {
        ...VALID,
        event: "open",
        userId: null,
        appInBackground: false,
        hasDisplayableContent: true,
        hasData: true,
      },
    },
    { event: "open", app_in_background: false, has_displayable_content: true, has_data: true },
  ),
  accepts(
    "What the SDKs send",
    "a delivery of an old web worker, whose time has a fraction",
    { body: { ...VALID, timestampSecs: 1_593_561_600.731, userId: null, appInBackground: true } },
    { occurred_at: 1_593_561_600, app_in_background: true },
  ),
  refuses(
    "What the SDKs send",
    "a report of a browser that is not registered, whose device is null",
    missing("deviceId"),
    { body: { ...VALID, deviceId: null, userId: null } },
  ),
];
