import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync } from "node:zlib";

/** More codings than any client applies; each costs an inflation. */
const MAX_CODINGS = 2;

/**
 * Undoes a body's `Content-Encoding`: gzip, deflate (with or without zlib's frame), br. Synchronous, because a body is small and
 * what comes out is bounded.
 * @returns null when the coding is unknown, the bytes are not of it, or more than `maxBytes` come out.
 */
export function inflateBody(
  body: Buffer,
  contentEncoding: string | undefined,
  maxBytes: number,
): Buffer | null {
  if (contentEncoding === undefined) return body;
  const codings = contentEncoding
    .split(",")
    .map((coding) => coding.trim().toLowerCase())
    .filter((coding) => coding !== "" && coding !== "identity");
  if (codings.length > MAX_CODINGS) return null;
  try {
    return codings.reduceRight((bytes, coding) => inflate(bytes, coding, maxBytes), body);
  } catch {
    return null;
  }
}

function inflate(bytes: Buffer, coding: string, maxBytes: number): Buffer {
  const bounds = { maxOutputLength: maxBytes };
  switch (coding) {
    case "gzip":
    case "x-gzip":
      return gunzipSync(bytes, bounds);
    case "br":
      return brotliDecompressSync(bytes, bounds);
    case "deflate":
      return hasZlibFrame(bytes) ? inflateSync(bytes, bounds) : inflateRawSync(bytes, bounds);
    default:
      throw new RangeError("unknown coding");
  }
}

/** Some clients send bare deflate: RFC 1950's first byte names method 8. */
function hasZlibFrame(bytes: Buffer): boolean {
  return ((bytes[0] ?? 0) & 0x0f) === 8;
}
