/** Does pieces of work one after the other, first come, first served. */
export class OneAtATime {
  #last: Promise<unknown> = Promise.resolve();

  /**
   * Resolves or rejects as `work` does once it is its turn.
   * @param left whoever wants it is gone: work that has not begun is not done. @throws the reason of `left`, at once
   */
  async run<T>(work: () => Promise<T>, left?: AbortSignal): Promise<T> {
    let onLeft: () => void = () => undefined;
    const isLeft = new Promise<never>((_, reject) => {
      onLeft = () => reject(left?.reason);
    });
    if (left?.aborted) onLeft();
    left?.addEventListener("abort", onLeft);
    const turn = this.#last.then(() => {
      left?.removeEventListener("abort", onLeft);
      left?.throwIfAborted();
      return work();
    });
    this.#last = turn.catch(() => undefined);
    return await Promise.race([turn, isLeft]);
  }
}
