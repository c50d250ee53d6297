/** Whether a call fails before it has done anything, or after it has done everything. */
export type FailureMoment = "before" | "after";

interface PlannedFailure {
  readonly error: Error;
  readonly moment: FailureMoment;
}

/** A call that waits before it has done anything. */
export interface HeldCall {
  /** Resolves once the call has begun to wait. */
  readonly reached: Promise<void>;
  readonly release: () => void;
}

interface Gate {
  readonly isReached: () => void;
  readonly opened: Promise<void>;
}

/** Makes the calls of a fake fail, or wait, as a test wants. */
export class FailuresOnCommand {
  /** What becomes of the next calls, in order; null where nothing is planned. */
  #planned: (PlannedFailure | null)[] = [];
  #gates: (Gate | null)[] = [];

  /** The next call fails, or the one after those planned already; first `passing` calls go well. */
  next(error: Error, moment: FailureMoment = "before", passing = 0): void {
    this.#planned.push(...Array(passing).fill(null), { error, moment });
  }

  /** The next `times` calls fail alike. */
  times(times: number, error: Error, moment: FailureMoment = "before"): void {
    for (let left = times; left > 0; left -= 1) this.next(error, moment);
  }

  /** Plans that have not come about are dropped: the process that they were meant for is gone. */
  forget(): void {
    this.#planned = [];
    this.#gates = [];
  }

  /** A call waits, before it has done anything, until it is released: the next one, or the one after `passing` others. */
  hold(passing = 0): HeldCall {
    let isReached = () => {};
    let release = () => {};
    const reached = new Promise<void>((resolve) => {
      isReached = resolve;
    });
    const opened = new Promise<void>((resolve) => {
      release = resolve;
    });
    this.#gates.push(...Array(passing).fill(null), { isReached, opened });
    return { reached, release };
  }

  /** Does `act` as planned. */
  async around<T>(act: () => T | Promise<T>): Promise<T> {
    const planned = this.#planned.shift() ?? null;
    const gate = this.#gates.shift() ?? null;
    gate?.isReached();
    await gate?.opened;
    if (planned?.moment === "before") throw planned.error;
    const result = await this.#doneUnlessRefused(act, planned);
    if (planned !== null) throw planned.error;
    return result;
  }

  /** What is refused has done nothing: a failure planned for afterwards waits for a call that does. */
  async #doneUnlessRefused<T>(
    act: () => T | Promise<T>,
    planned: PlannedFailure | null,
  ): Promise<T> {
    try {
      return await act();
    } catch (refusal) {
      if (planned !== null) this.#planned.unshift(planned);
      throw refusal;
    }
  }
}
