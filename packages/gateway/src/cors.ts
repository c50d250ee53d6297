import type { RequestHandler } from "express";
import { ORIGIN_HEADERS } from "./error-responses.js";

/**
 * The answer to a browser's question whether a service worker of another origin may report. Unless it is 2xx with these headers the
 * report is never sent; without a `Max-Age` browsers ask again every few seconds.
 */
export const PREFLIGHT_HEADERS = {
  ...ORIGIN_HEADERS,
  "access-control-allow-methods": "POST",
  "access-control-allow-headers": "content-type, x-pusher-library",
  "access-control-max-age": "7200",
} as const;

export const answerPreflight: RequestHandler = (_req, res) => {
  res.writeHead(204, PREFLIGHT_HEADERS).end();
};
