import type { BadRecord } from "./row-lines.js";

/** Bad records of one range. */
export interface SetAside {
  /** Name of the range that they belong to. */
  readonly name: string;
  readonly source: string;
  readonly partition: number;
  readonly records: readonly BadRecord[];
}

/** Keeps records that cannot become rows, with the reason, where people can look at them and replay them. */
export interface DeadLetters {
  /**
   * Resolves once every record is durable. Repeating it is harmless: a dead letter is identified by source, partition and
   * offset.
   * @param onProgress called whenever a request to the place has ended, be it for these records or for others that they wait for: many
   * may take long though nothing hangs.
   * @throws WriteError
   */
  setAside(bad: SetAside, onProgress: () => void): Promise<void>;
}
