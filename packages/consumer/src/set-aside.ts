import type { DeadLetters } from "./dead-letters.js";
import type { IngestObserver } from "./ingest-observer.js";
import type { Epoch } from "./record-source.js";
import type { ReportRange } from "./report-range.js";
import type { BadRecord } from "./row-lines.js";
import type { WriteRetrier } from "./write-retrier.js";

/** The collaborators of {@link setAside}. */
export interface SetAsideParts {
  readonly deadLetters: DeadLetters;
  readonly retrier: WriteRetrier;
  readonly observer: IngestObserver;
}

/** Makes it durable why records become no rows, with what they were. @throws the abort reason of the epoch */
export async function setAside(
  range: ReportRange,
  bad: readonly BadRecord[],
  epoch: Epoch,
  { retrier, deadLetters, observer }: SetAsideParts,
): Promise<void> {
  if (bad.length === 0) return;
  const { name, source, partition } = range;
  const onProgress = () => {
    // What nobody waits for any more must not speak of a partition that may be another consumer's by now.
    if (!epoch.ended.aborted) observer.partlySetAside?.(range);
  };
  await retrier.run("dead_letters", epoch, () =>
    deadLetters.setAside({ name, source, partition, records: bad }, onProgress),
  );
  observer.setAside(bad, range);
}
