/** Whether a call fails before it has done anything, or after it has done everything. */
export type FailureMoment = "before" | "after";

interface PlannedFailure {
  readonly error: Error;
  readonly moment: FailureMoment;
}

/** Makes the calls of a fake fail, or wait, as a test wants. */
export class FailuresOnCommand {
  #planned: PlannedFailure[] = [];
  #gate: Promise<void> | null = null;

  /** The next call fails, or the one after those planned already. */
  next(error: Error, moment: FailureMoment = "before"): void {
    this.#planned.push({ error, moment });
  }

  /** The next `times` calls fail alike. */
  times(times: number, error: Error, moment: FailureMoment = "before"): void {
    for (let left = times; left > 0; left -= 1) this.next(error, moment);
  }

  /** Plans that have not come about are dropped: the process that they were meant for is gone. */
  forget(): void {
    this.#planned = [];
  }

  /** The next call waits, before it has done anything, until the function that this gives is called. */
  hold(): () => void {
    let release = () => {};
    this.#gate = new Promise((resolve) => {
      release = resolve;
    });
    return release;
  }

  /** Does `act` as planned. */
  async around<T>(act: () => T): Promise<T> {
    const planned = this.#planned.shift();
    const gate = this.#gate;
    this.#gate = null;
    if (gate !== null) await gate;
    if (planned?.moment === "before") throw planned.error;
    const result = act();
    if (planned !== undefined) throw planned.error;
    return result;
  }
}
