import type { Clock } from "@push-reports/service-kit";
import type { IngestObserver } from "./ingest-observer.js";
import { liesInOneMonth } from "./receipt-times.js";
import type { Epoch } from "./record-source.js";
import type { ReportRange } from "./report-range.js";

/** What waiting for the inserts of former owners takes. */
interface WaitParts {
  readonly clock: Clock;
  readonly observer: IngestObserver;
  /** After this time the database ends an insert by itself, ms. */
  readonly insertTimeoutMs: number;
}

/** How much longer than its bound an insert may take to end, ms: the database looks at the time between blocks, and syncs the last one. */
const MARGIN_MS = 5_000;
/** How often it is said that the wait goes on, ms. */
const SAY_EVERY_MS = 1_000;

/**
 * Waits until no owner before this epoch can be at an insert of the range any more, where its rows may be seen half-way: rows of one month
 * are there together or not at all, and what is at it under the same name is recognised by it. Those of several months come
 * one month after the other; whoever asks in between would insert the rest under another name.
 * The time of the cut proves nothing, since a former owner may have repeated its insert ever since; that its epoch ended before this one began does.
 * @param epochBegan when this epoch began, Unix ms. @throws the abort reason of the epoch.
 */
export async function untilFormerInsertsEnded(
  range: ReportRange,
  epochBegan: number,
  { partition, ended }: Epoch,
  { clock, observer, insertTimeoutMs }: WaitParts,
): Promise<void> {
  if (liesInOneMonth(range)) return;
  const until = epochBegan + insertTimeoutMs + MARGIN_MS;
  for (;;) {
    ended.throwIfAborted();
    const leftMs = until - clock.now();
    if (leftMs <= 0) return;
    observer.waits?.(partition);
    await clock.sleep(Math.min(leftMs, SAY_EVERY_MS), ended);
  }
}
