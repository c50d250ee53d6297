import { stretchOf } from "./receipt-times.js";
import type { Epoch } from "./record-source.js";
import { insertedSince, type ReportRange } from "./report-range.js";
import type { ReportWriter, ViewsSeen } from "./report-writer.js";
import type { WriteRetrier } from "./write-retrier.js";

/**
 * Sees to it that every row gets into every view. A database takes rows without a word while a view over them is missing. So the
 * views are looked at before and after an insert: while one is missing the range waits, and where they were not the same ones all the
 * time they are given its rows once more, which changes nothing where they have them.
 */
export class ViewWatch {
  readonly #writer: Pick<ReportWriter, "viewsNow" | "completeViews">;
  readonly #retrier: WriteRetrier;
  /** As they were last looked at: after one insert is before the next. */
  #seen: ViewsSeen | null = null;

  constructor(writer: Pick<ReportWriter, "viewsNow" | "completeViews">, retrier: WriteRetrier) {
    this.#writer = writer;
    this.#retrier = retrier;
  }

  /**
   * Does `insert` and gives its result once the views have the rows of the range.
   * @param mayBeStored an earlier epoch may have inserted it, and nobody knows what views there were.
   * @throws whatever `insert` throws; the abort reason of the epoch.
   */
  async around<T>(
    range: ReportRange,
    mayBeStored: boolean,
    epoch: Epoch,
    insert: () => Promise<T>,
  ): Promise<T> {
    const before = this.#seen ?? (await this.#look(epoch));
    const result = await insert();
    const now = await this.#look(epoch);
    const isDoubtful = mayBeStored && now.changedAt.getTime() > insertedSince(range);
    if (now.identity !== before.identity || isDoubtful) await this.#complete(range, epoch);
    return result;
  }

  async #look(epoch: Epoch): Promise<ViewsSeen> {
    const seen = await this.#retrier.run("look_up", epoch, () => this.#writer.viewsNow());
    this.#seen = seen;
    return seen;
  }

  async #complete(range: ReportRange, epoch: Epoch): Promise<void> {
    const stretch = stretchOf(range);
    await this.#retrier.run("look_up", epoch, () => this.#writer.completeViews(stretch));
  }
}
