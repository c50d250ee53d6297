import { stretchOf } from "./receipt-times.js";
import type { Epoch } from "./record-source.js";
import { insertedSince, type ReportRange } from "./report-range.js";
import { type ReportWriter, type ViewsSeen, WriteError } from "./report-writer.js";
import type { WriteRetrier } from "./write-retrier.js";

/** What a look saw, and how many had missed a view before it began: one that is answered late tells of a time before later ones. */
interface Look extends ViewsSeen {
  readonly misses: number;
}

/**
 * Looks after the views over the rows, since a database takes rows without a word while one is missing. They are looked at before and after
 * an insert: while one is missing the range waits, and where they were not the same ones all the time, or a look missed one, they are given
 * its rows once more, which changes nothing where they have them.
 * Not seen is a view that is detached and attached again, which leaves it the same one, where no look of this process fell in between; nor, on a
 * cluster, what other replicas have than the one that answers.
 */
export class ViewWatch {
  readonly #writer: Pick<ReportWriter, "viewsNow" | "completeViews">;
  readonly #retrier: WriteRetrier;
  /** As they were last looked at: after one insert is before the next. Null once a look missed one. */
  #seen: Look | null = null;
  /** Looks that missed one. */
  #misses = 0;

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
    const wereThere = now.identity === before.identity && this.#misses === before.misses;
    if (!wereThere || isDoubtful) await this.#complete(range, epoch);
    return result;
  }

  async #look(epoch: Epoch): Promise<Look> {
    this.#seen = await this.#retrier.run("look_up", epoch, () => this.#lookOnce());
    return this.#seen;
  }

  async #lookOnce(): Promise<Look> {
    const misses = this.#misses;
    try {
      return { ...(await this.#writer.viewsNow()), misses };
    } catch (error) {
      if (error instanceof WriteError && error.failure === "misconfigured") {
        this.#seen = null;
        this.#misses += 1;
      }
      throw error;
    }
  }

  async #complete(range: ReportRange, epoch: Epoch): Promise<void> {
    const stretch = stretchOf(range);
    await this.#retrier.run("look_up", epoch, () => this.#writer.completeViews(stretch));
  }
}
