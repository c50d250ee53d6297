import { recordEpochsContract } from "./record-epochs-contract.js";
import { recordReadingContract } from "./record-reading-contract.js";
import type { RecordSourceUnderTest } from "./record-source-under-test.js";

/**
 * Declares the tests that every record source passes.
 * @param open makes a log with one partition that nobody has written to or read.
 */
export function recordSourceContract(open: () => Promise<RecordSourceUnderTest>): void {
  recordReadingContract(open);
  recordEpochsContract(open);
}
