/** A request to a proxy names scheme and authority first. The authority may be any text: it does not count. */
const ORIGIN = /^[a-z][a-z\d+.-]*:\/\/[^/?]*/i;

/**
 * A request target that means the same and that a router never fails on: without scheme, authority and fragment, and with a path whose
 * percent-encoding changes nothing: each segment decoded as far as it can be and encoded again in one way. A segment that cannot be
 * decoded stands for its own characters.
 */
export function canonicalTarget(target: string): string {
  const whole = withoutFragment(target);
  const local = whole.startsWith("/") ? whole : withoutOrigin(whole);
  const end = local.indexOf("?");
  const path = end < 0 ? local : local.slice(0, end);
  if (!path.includes("%")) return local;
  const canonical = path.split("/").map(canonicalSegment).join("/");
  return end < 0 ? canonical : canonical + local.slice(end);
}

function withoutFragment(target: string): string {
  const end = target.indexOf("#");
  return end < 0 ? target : target.slice(0, end);
}

function withoutOrigin(target: string): string {
  const local = target.replace(ORIGIN, "");
  return /^[/*]/.test(local) ? local : `/${local}`;
}

function canonicalSegment(segment: string): string {
  if (!segment.includes("%")) return segment;
  return encodeURIComponent(decodeSegment(segment));
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
