import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";

/**
 * Whether a request may come from a page of some other site, which must not read reports through a visitor's browser. Such a page
 * either says so (`Sec-Fetch-Site`), or has made its own name resolve to this machine and sends that name as `Host`. A public
 * site's name has a dot and a public ending; names that only a local network knows are let through.
 */
export function isFromOtherSite({ headers }: IncomingMessage): boolean {
  if (headers["sec-fetch-site"] === "cross-site") return true;
  const host = (headers.host ?? "localhost").replace(/:\d+$/, "").replace(/^\[|\]$/g, "");
  return (
    isIP(host) === 0 && host.includes(".") && !/\.(localhost|local|internal|lan)\.?$/i.test(host)
  );
}
