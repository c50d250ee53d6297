import type { WriteFailure } from "./report-writer.js";

/*
 * ClickHouse error code -> what it means for the rows of an insert. Names are those of ErrorCodes.cpp in ClickHouse, as `errorCodeToName`
 * gives them. A code in neither of the first two lists is treated as `bad_record`: probing tells whether a record is at fault. That a single
 * record is refused once proves it only for the codes of the third list. With any other code it may be chance, for a record that is probed
 * alone as for a whole range: such a record is probed again over time, and taken for good as soon as it is taken once.
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
  // Of a removal that a replica has not got to.
  [341, "UNFINISHED"],
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

/** Codes that only what a row holds can cause: parsing, the types of the columns, the constraints of the table. */
const ABOUT_A_ROW: ReadonlyMap<number, string> = new Map([
  [6, "CANNOT_PARSE_TEXT"],
  [25, "CANNOT_PARSE_ESCAPE_SEQUENCE"],
  [26, "CANNOT_PARSE_QUOTED_STRING"],
  [27, "CANNOT_PARSE_INPUT_ASSERTION_FAILED"],
  [38, "CANNOT_PARSE_DATE"],
  [41, "CANNOT_PARSE_DATETIME"],
  [53, "TYPE_MISMATCH"],
  [69, "ARGUMENT_OUT_OF_BOUND"],
  [70, "CANNOT_CONVERT_TYPE"],
  [72, "CANNOT_PARSE_NUMBER"],
  [128, "TOO_LARGE_ARRAY_SIZE"],
  [130, "CANNOT_READ_ARRAY_FROM_TEXT"],
  [131, "TOO_LARGE_STRING_SIZE"],
  [190, "SIZES_OF_ARRAYS_DONT_MATCH"],
  [321, "VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE"],
  [349, "CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN"],
  [376, "CANNOT_PARSE_UUID"],
  [407, "DECIMAL_OVERFLOW"],
  [441, "CANNOT_PARSE_DOMAIN_VALUE_FROM_STRING"],
  [467, "CANNOT_PARSE_BOOL"],
  [469, "VIOLATED_CONSTRAINT"],
  [632, "UNEXPECTED_DATA_AFTER_PARSED_VALUE"],
  [675, "CANNOT_PARSE_IPV4"],
  [676, "CANNOT_PARSE_IPV6"],
  [691, "UNKNOWN_ELEMENT_OF_ENUM"],
]);

/** Every code with a decision of its own, and its name. */
export const LISTED_CODES: ReadonlyMap<number, string> = new Map([
  ...PASSING,
  ...MISCONFIGURED,
  ...ABOUT_A_ROW,
]);

/** Whether the code says by itself that a row is at fault, so that a row that is refused alone with it is refused for good. */
export function isAboutARow(clickHouseCode: number): boolean {
  return ABOUT_A_ROW.has(clickHouseCode);
}

/** What a ClickHouse error code means for the rows of an insert. */
export function failureOf(clickHouseCode: number): WriteFailure {
  if (PASSING.has(clickHouseCode)) return "passes_with_time";
  return MISCONFIGURED.has(clickHouseCode) ? "misconfigured" : "bad_record";
}
