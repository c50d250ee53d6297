import { readFileSync } from "node:fs";
import { EXCESS_SHARE } from "./report-server.js";

/** What the process opens besides connections: Kafka's, logs, the operations port. */
const OTHER_FILES = 128;
/** So many connections past the bound are read, and as many again may be on their way out, answered unread. */
const TIMES = 1 + 2 * EXCESS_SHARE;

/** How many files a gateway with so many connections may have to open. */
export function filesFor(maxConnections: number): number {
  return Math.ceil(maxConnections * TIMES) + OTHER_FILES;
}

/**
 * Connections that may be open so that one more can still be accepted and answered: past the limit of open files the kernel's would be
 * closed without an answer.
 * @param files how many files the process may open; null where that is not known.
 */
export function connectionsWithin(maxConnections: number, files: number | null): number {
  if (files === null || files >= filesFor(maxConnections)) return maxConnections;
  return Math.max(1, Math.floor((files - OTHER_FILES) / TIMES));
}

/** How many files this process may open, which Node.js has raised as far as it may; null on a system that does not say, or sets no limit. */
export function openFilesLimit(): number | null {
  try {
    const [, soft] =
      /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
    return soft === undefined ? null : Number(soft);
  } catch {
    return null;
  }
}
