import { setTimeout as delay } from "node:timers/promises";
import { patiently } from "./patience.js";

/** Bounds of {@link waitFor}. */
export interface WaitOptions {
  /** What is waited for, as it completes "waited in vain for …". */
  readonly what: string;
  /** On a fast machine; {@link patiently} makes more of it elsewhere. @default 10_000 */
  readonly timeoutMs?: number;
  /** Time between two looks, ms. @default a two hundredth of `timeoutMs`, 50 at least and 250 at most: what may take long is mostly asked of a database */
  readonly intervalMs?: number;
}

/**
 * Looks until `condition` gives something truthy, and gives that. A condition that throws is not met yet; its last error
 * is the cause of the failure. @throws Error when the time is over.
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  { what, timeoutMs: usualTimeoutMs = 10_000, intervalMs }: WaitOptions,
): Promise<NonNullable<Awaited<T>>> {
  const timeoutMs = patiently(usualTimeoutMs);
  const endsAt = Date.now() + timeoutMs;
  for (;;) {
    const { value, error } = await look(condition);
    if (value) return value;
    if (Date.now() >= endsAt)
      throw new Error(`Waited ${timeoutMs} ms in vain for ${what}`, { cause: error });
    await delay(intervalMs ?? Math.min(Math.max(usualTimeoutMs / 200, 50), 250));
  }
}

async function look<T>(
  condition: () => T | Promise<T>,
): Promise<{ value?: Awaited<T>; error?: unknown }> {
  try {
    return { value: await condition() };
  } catch (error) {
    return { error };
  }
}
