import type { EmbeddedLog, LogEntry, LogRecord } from "../../src/index.js";

/** A record whose value is `text`. */
export function aRecord(text: string, from: Partial<LogRecord> = {}): LogRecord {
  return {
    key: Buffer.from("web-1"),
    value: Buffer.from(text),
    headers: { v: Buffer.from("1") },
    timestampMs: 1_700_000_000_123,
    ...from,
  };
}

/** Every record of a log, read a few at a time. */
export function readAll(log: EmbeddedLog): readonly LogEntry[] {
  const entries: LogEntry[] = [];
  let next = log.firstOffset;
  for (;;) {
    const read = log.read(next, { maxRecords: 7, maxBytes: 100_000 });
    const last = read.at(-1);
    if (last === undefined) return entries;
    entries.push(...read);
    next = last.offset + 1;
  }
}

/** The texts of records' values. */
export function textsOf(entries: readonly LogEntry[]): readonly (string | undefined)[] {
  return entries.map(({ value }) => value?.toString());
}
