/** An error that the database itself has answered. */
export interface ClickHouseAnswer {
  /** Its number in ErrorCodes.cpp of ClickHouse. */
  readonly code: number;
  /** Its name there, or null when the answer does not say it. */
  readonly type: string | null;
  readonly message: string;
}

/**
 * What the database has answered, or null when an error is no answer of it (a refused, reset or silent connection).
 * Recognised by its shape: `@clickhouse/client` and the connection of chDB each throw a class `ClickHouseError` of their own.
 */
export function clickHouseAnswerOf(error: unknown): ClickHouseAnswer | null {
  if (!(error instanceof Error) || error.constructor.name !== "ClickHouseError") return null;
  const { code, type } = error as { readonly code?: unknown; readonly type?: unknown };
  if (!/^\d{1,9}$/.test(String(code))) return null;
  return {
    code: Number(code),
    type: typeof type === "string" ? type : null,
    message: error.message,
  };
}
