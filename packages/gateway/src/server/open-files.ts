import { readFileSync } from "node:fs";

/** What the process opens besides connections: Kafka's, logs, the operations port. */
const OTHER_FILES = 128;
/** Connections past the bound that are read, or answered unread, as a share of it. */
const EXCESS_SHARE = 0.25;

/**
 * Connections that may be open so that one more can still be accepted and answered: past the limit of open files the kernel's would be
 * closed without an answer.
 * @param files how many files the process may open; null where that is not known.
 */
export function connectionsWithin(maxConnections: number, files: number | null): number {
  if (files === null) return maxConnections;
  const possible = Math.floor((files - OTHER_FILES) / (1 + EXCESS_SHARE));
  return Math.max(1, Math.min(maxConnections, possible));
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
