import type { SentTo } from "../report-publisher.js";

/** A stretch of the spill that was sent, or is about to be, as one batch, and is not acknowledged. Its bounds never change. */
export interface OpenBatch extends SentTo {
  /** First and last offset in the spill, both within the batch. */
  readonly first: number;
  readonly last: number;
}

/** How far the spill was drained. Made durable before anything is sent, so that a successor repeats exactly what may have been sent. */
export interface DrainMark {
  /** The first offset that no batch has taken. */
  readonly cursor: number;
  readonly open: readonly OpenBatch[];
}

/** Name of the mark in the log. */
export const DRAIN_MARK = "drain";

/** Writes a mark; some 60 bytes a batch. */
export function encodeDrainMark({ cursor, open }: DrainMark): string {
  const batches = open.map(({ first, last, partition, resendAs }) => [
    first,
    last,
    partition,
    resendAs.producerId,
    resendAs.epoch,
  ]);
  return JSON.stringify({ v: 1, cursor, open: batches });
}

/** Reads a mark; null when it is none that this version knows. */
export function decodeDrainMark(text: string): DrainMark | null {
  const value = parseJson(text);
  if (value?.v !== 1 || !Number.isSafeInteger(value.cursor) || !Array.isArray(value.open))
    return null;
  const open = value.open.map(decodeOpenBatch);
  return open.every((batch) => batch !== null) ? { cursor: Number(value.cursor), open } : null;
}

/** The lowest offset that is still needed. */
export function keptFrom({ cursor, open }: DrainMark): number {
  return open.reduce((lowest, { first }) => Math.min(lowest, first), cursor);
}

function decodeOpenBatch(value: unknown): OpenBatch | null {
  if (!Array.isArray(value)) return null;
  const [first, last, partition, producerId, epoch] = value as readonly unknown[];
  const areNumbers = [first, last, partition, epoch].every((n) => Number.isSafeInteger(n));
  if (!areNumbers || typeof producerId !== "string" || !/^\d+$/.test(producerId)) return null;
  return {
    first: Number(first),
    last: Number(last),
    partition: Number(partition),
    resendAs: { producerId, epoch: Number(epoch) },
  };
}

function parseJson(text: string): { v?: unknown; cursor?: unknown; open?: unknown } | null {
  try {
    return JSON.parse(text) as Record<string, unknown> | null;
  } catch {
    return null;
  }
}
