import { MAX_CLIENT_LIBRARY_UNITS } from "@push-reports/report";

/** Reads `x-pusher-library` into a short text of printable ASCII; "" when there is none. */
export function readClientLibrary(header: string | readonly string[] | undefined): string {
  if (header === undefined) return "";
  return String(header)
    .replace(/[^\x21-\x7e]+/g, " ")
    .trim()
    .slice(0, MAX_CLIENT_LIBRARY_UNITS)
    .trim();
}
