/**
 * A request target whose percent-encoding changes nothing: each segment of the path decoded as far as it can be and encoded again
 * in one way. A segment that cannot be decoded stands for its own characters, so that a router never fails on it.
 */
export function canonicalTarget(target: string): string {
  const end = target.indexOf("?");
  const path = end < 0 ? target : target.slice(0, end);
  if (!path.includes("%")) return target;
  const canonical = path.split("/").map(canonicalSegment).join("/");
  return end < 0 ? canonical : canonical + target.slice(end);
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
