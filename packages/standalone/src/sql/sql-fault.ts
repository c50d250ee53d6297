/**
 * Why a query is not answered, in ClickHouse's own codes, so that its clients understand it. Names and numbers are those of
 * ClickHouse's src/Common/ErrorCodes.cpp.
 */
const CODES = {
  BAD_ARGUMENTS: 36,
  NOT_IMPLEMENTED: 48,
  SYNTAX_ERROR: 62,
  UNKNOWN_DATABASE: 81,
  TIMEOUT_EXCEEDED: 159,
  READONLY: 164,
  TOO_MANY_SIMULTANEOUS_QUERIES: 202,
  QUERY_IS_TOO_LARGE: 229,
  ACCESS_DENIED: 497,
  UNKNOWN_EXCEPTION: 1_002,
} as const;

/** Name of an error of ClickHouse that this endpoint raises by itself. */
export type SqlFaultName = keyof typeof CODES;

/** A query that is refused before the engine has answered it. */
export class SqlFault extends Error {
  override readonly name = "SqlFault";
  readonly code: SqlFaultName;

  constructor(code: SqlFaultName, message: string) {
    super(message);
    this.code = code;
  }
}

/** An error in the form in which ClickHouse answers it. */
export interface SqlError {
  readonly code: number;
  readonly text: string;
}

/** @param version of the engine, e.g. `26.7.2.1`. */
export function sqlErrorOf({ code, message }: SqlFault, version: string): SqlError {
  const text = `Code: ${CODES[code]}. DB::Exception: ${message}. (${code}) (version ${version})`;
  return { code: CODES[code], text };
}

/** The engine wraps some errors in themselves: `Code: 1. DB::Exception: Code: 1. DB::Exception: …. (N) (version …). (N)`. */
const ENGINE_ERROR =
  /(?:Code: \d+\. DB::Exception: )*Code: (?<code>\d+)\. DB::Exception: (?<what>.*?)(?: \(version \S+\)(?:\. \(\w+\))?)*\s*$/s;

/** The engine's own error, or null when `error` is none. */
export function engineErrorOf(error: unknown, version: string): SqlError | null {
  const { code, what } = ENGINE_ERROR.exec(messageOf(error))?.groups ?? {};
  if (code === undefined) return null;
  return { code: Number(code), text: `Code: ${code}. DB::Exception: ${what} (version ${version})` };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
