import { type TlsNames, tlsProblemOf } from "@push-reports/service-kit";
import { type ClickHouseAnswer, clickHouseAnswerOf } from "./clickhouse-answer.js";
import { failureOf } from "./insert-failures.js";
import { WriteError } from "./report-writer.js";

const TLS_NAMES: TlsNames = {
  whose: "ClickHouse's",
  caFile: "CLICKHOUSE_CA_FILE",
  host: "the host of CLICKHOUSE_URL",
};

/** What a failed statement means for whoever wanted it. @param message says what failed. */
export function writeErrorOf(error: unknown, message: string): WriteError {
  const answer = clickHouseAnswerOf(error);
  if (answer === null) {
    const problem = tlsProblemOf((error as { readonly code?: unknown } | null)?.code, TLS_NAMES);
    if (problem !== null)
      return new WriteError("misconfigured", 0, `${message}: ${problem}`, error);
    // What is no answer has an unknown outcome.
    return new WriteError("passes_with_time", 0, message, error);
  }
  const { code } = answer;
  const failure = failureOf(code);
  const text = `${message} with code ${code} (${answer.type ?? "unknown"})`;
  // About a row the database quotes what it holds, which must not get into logs.
  if (failure === "bad_record")
    return new WriteError(failure, code, text, undefined, rowOf(answer));
  return new WriteError(failure, code, text, error);
}

/** "(at row 700)" of a parser, "is violated at row 700" of a check. */
function rowOf({ message }: ClickHouseAnswer): number | null {
  const [, row] = /\bat row (\d{1,9})\b/.exec(message) ?? [];
  return row === undefined ? null : Number(row);
}
