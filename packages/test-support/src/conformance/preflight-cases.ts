import {
  CONFORMANCE_PATH,
  type ConformanceCase,
  instancePath,
  ORIGIN,
} from "./conformance-case.js";

const preflight = (
  name: string,
  path: string,
  more: Readonly<Record<string, string>> = {},
): ConformanceCase => ({
  name,
  topic: "Preflight",
  request: {
    method: "OPTIONS",
    path,
    headers: {
      origin: "https://shop.example",
      "access-control-request-method": "POST",
      "access-control-request-headers": "content-type",
      ...more,
    },
    body: null,
  },
  answer: {
    status: 204,
    headers: {
      ...ORIGIN,
      "access-control-allow-methods": "POST",
      "access-control-allow-headers": "content-type, x-pusher-library",
      "access-control-max-age": "7200",
    },
    body: null,
  },
  row: null,
});

/** What a browser asks before it sends a report of another site's service worker. */
export const PREFLIGHT_CASES: readonly ConformanceCase[] = [
  preflight("lets the browser of any site report", CONFORMANCE_PATH),
  preflight("lets a page without an origin of its own report", CONFORMANCE_PATH, {
    origin: "null",
  }),
  preflight("answers a preflight for any instance", instancePath("x")),
  preflight("answers a preflight without an instance", "/reporting_api/v2/instances/events"),
  preflight("answers a preflight with a query and a trailing slash", `${CONFORMANCE_PATH}/?a`),
];
