import type { ClickHouseStatements } from "./clickhouse-statements.js";
import { formatTime } from "./clickhouse-time.js";
import type { Freshness, FreshnessEntry } from "./freshness.js";

/** Freshness as a table that keeps the greatest figure of each partition. */
export class ClickHouseFreshness implements Freshness {
  readonly #statements: Pick<ClickHouseStatements, "insert">;

  constructor(statements: Pick<ClickHouseStatements, "insert">) {
    this.#statements = statements;
  }

  async publish(entries: readonly FreshnessEntry[]): Promise<void> {
    if (entries.length === 0) return;
    const lines = entries.map(
      ({ source, partition, completeTo, nextOffset, highWatermark, partitions, observedAt }) =>
        JSON.stringify({
          source,
          partition,
          complete_to: formatTime(completeTo),
          next_offset: nextOffset,
          high_watermark: highWatermark,
          partitions,
          observed_at: formatTime(observedAt),
        }),
    );
    await this.#statements.insert("freshness", "", Buffer.from(`${lines.join("\n")}\n`));
  }
}
