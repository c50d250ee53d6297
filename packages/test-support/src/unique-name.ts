import { randomBytes } from "node:crypto";

/** A name that no other test uses: fit for topics, groups, databases and tables when `prefix` is. */
export function uniqueName(prefix: string): string {
  return `${prefix}_${randomBytes(6).toString("hex")}`;
}
