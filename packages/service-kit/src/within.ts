import type { Clock } from "./clock.js";

/** How waiting for something ended. */
export type WaitEnd<T> =
  | { readonly kind: "resolved"; readonly value: T }
  | { readonly kind: "rejected"; readonly error: unknown }
  /** The time was over first. What was waited for goes on, and whatever becomes of it is not heard of. */
  | { readonly kind: "late" };

/** Work that did not come to a good end in time. */
export type FailedWait = Exclude<WaitEnd<unknown>, { readonly kind: "resolved" }>;

/** Why it did not. */
export function errorOf(failed: FailedWait): unknown {
  return failed.kind === "rejected" ? failed.error : new Error("It did not end in time");
}

/** Waits for `work` at most `ms`. Never rejects. */
export async function within<T>(work: Promise<T>, ms: number, clock: Clock): Promise<WaitEnd<T>> {
  const settled = new AbortController();
  const ended = work.then(
    (value): WaitEnd<T> => ({ kind: "resolved", value }),
    (error: unknown): WaitEnd<T> => ({ kind: "rejected", error }),
  );
  const late = clock.sleep(ms, settled.signal).then((): WaitEnd<T> => ({ kind: "late" }));
  const end = await Promise.race([ended, late]);
  settled.abort();
  return end;
}
