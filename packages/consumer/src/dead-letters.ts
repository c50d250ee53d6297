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
   * offset. @throws WriteError
   */
  setAside(bad: SetAside): Promise<void>;
}
