import type { WriteFailure } from "./report-writer.js";

/*
 * ClickHouse error code -> what it means for the rows of an insert. Names are those of ErrorCodes.cpp in ClickHouse.
 * A code in neither list is treated as `bad_record`: probing tells whether a record is at fault, and when none is, the
 * caller falls back to slow retries, so that an unknown code can neither lose a range nor set good records aside.
 */

/** The retriable codes of ClickHouse's official Kafka connector (its Utils.java), and outcomes that nobody can know. */
const PASSING: ReadonlyMap<number, string> = new Map([
  [3, "UNEXPECTED_END_OF_FILE"],
  [107, "FILE_DOESNT_EXIST"],
  [159, "TIMEOUT_EXCEEDED"],
  [164, "READONLY"],
  [202, "TOO_MANY_SIMULTANEOUS_QUERIES"],
  [203, "NO_FREE_CONNECTION"],
  [209, "SOCKET_TIMEOUT"],
  [210, "NETWORK_ERROR"],
  [225, "NO_ZOOKEEPER"],
  [236, "ABORTED"],
  [241, "MEMORY_LIMIT_EXCEEDED"],
  [242, "TABLE_IS_READ_ONLY"],
  [243, "NOT_ENOUGH_SPACE"],
  [252, "TOO_MANY_PARTS"],
  [285, "TOO_FEW_LIVE_REPLICAS"],
  [286, "UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE"],
  [319, "UNKNOWN_STATUS_OF_INSERT"],
  [394, "QUERY_WAS_CANCELLED"],
  [425, "SYSTEM_ERROR"],
  [735, "QUERY_WAS_CANCELLED_BY_CLIENT"],
  [999, "KEEPER_EXCEPTION"],
]);

/** Codes that no record can cause: whoever deploys has to act. */
const MISCONFIGURED: ReadonlyMap<number, string> = new Map([
  [8, "THERE_IS_NO_COLUMN"],
  [16, "NO_SUCH_COLUMN_IN_TABLE"],
  [20, "NUMBER_OF_COLUMNS_DOESNT_MATCH"],
  [46, "UNKNOWN_FUNCTION"],
  [47, "UNKNOWN_IDENTIFIER"],
  [48, "NOT_IMPLEMENTED"],
  [60, "UNKNOWN_TABLE"],
  [62, "SYNTAX_ERROR"],
  [73, "UNKNOWN_FORMAT"],
  [81, "UNKNOWN_DATABASE"],
  [115, "UNKNOWN_SETTING"],
  [192, "UNKNOWN_USER"],
  [193, "WRONG_PASSWORD"],
  [194, "REQUIRED_PASSWORD"],
  [291, "DATABASE_ACCESS_DENIED"],
  [452, "SETTING_CONSTRAINT_VIOLATION"],
  [497, "ACCESS_DENIED"],
  [516, "AUTHENTICATION_FAILED"],
]);

/** What a ClickHouse error code means for the rows of an insert. */
export function failureOf(clickHouseCode: number): WriteFailure {
  if (PASSING.has(clickHouseCode)) return "passes_with_time";
  return MISCONFIGURED.has(clickHouseCode) ? "misconfigured" : "bad_record";
}
