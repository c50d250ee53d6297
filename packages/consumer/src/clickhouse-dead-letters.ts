import { randomUUID } from "node:crypto";
import type { ClickHouseStatements } from "./clickhouse-statements.js";
import { formatTime } from "./clickhouse-time.js";
import type { DeadLetters, SetAside } from "./dead-letters.js";
import type { BadRecord } from "./row-lines.js";

/** Of one insert: a range of bad records is in memory several times over while it is encoded. A single record may be larger. */
const MAX_INSERT_BYTES = 16 * 1024 * 1024;

/** Dead letters as a table, with the original bytes as base64. */
export class ClickHouseDeadLetters implements DeadLetters {
  readonly #statements: ClickHouseStatements;

  constructor(statements: ClickHouseStatements) {
    this.#statements = statements;
  }

  async setAside(
    { name, source, partition, records }: SetAside,
    onProgress: () => void,
  ): Promise<void> {
    let lines: string[] = [];
    let length = 0;
    for (const bad of records) {
      const line = JSON.stringify({ source, partition, range_name: name, ...rowOf(bad) });
      if (lines.length > 0 && length + line.length > MAX_INSERT_BYTES) {
        await this.#insert(name, lines, onProgress);
        lines = [];
        length = 0;
      }
      lines.push(line);
      length += line.length;
    }
    if (lines.length > 0) await this.#insert(name, lines, onProgress);
  }

  async #insert(name: string, lines: readonly string[], onProgress: () => void): Promise<void> {
    // Each attempt by a token of its own: the table is read with FINAL, and a repetition could be acknowledged and insert nothing.
    const token = `${name}/dead-letters/${randomUUID()}`;
    await this.#statements.insert("dead_letters", token, Buffer.from(`${lines.join("\n")}\n`));
    onProgress();
  }
}

function rowOf({ record, reason, detail, clickHouseCode }: BadRecord) {
  const headers = Object.entries(record.headers).flatMap(([header, value]) =>
    value === undefined ? [] : [[header, value.toString("base64")] as const],
  );
  return {
    offset: record.offset,
    record_at: formatTime(new Date(record.timestampMs)),
    reason,
    detail,
    clickhouse_code: clickHouseCode,
    key_base64: record.key?.toString("base64") ?? null,
    value_base64: record.value?.toString("base64") ?? null,
    headers_base64: Object.fromEntries(headers),
  };
}
