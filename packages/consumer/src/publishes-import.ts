import type { Readable } from "node:stream";
import type { ClickHouseClient } from "@clickhouse/client";

/** Forms of a file of publishes, and what ClickHouse calls them. */
const PUBLISHES_FORMATS = { csv: "CSVWithNames", ndjson: "JSONEachRow" } as const;
/** A form of a file of publishes. */
export type PublishesFormat = keyof typeof PUBLISHES_FORMATS;

/** What an import left. */
export interface PublishesImport {
  /** Publishes that the table knows now, over all instances. */
  readonly publishes: number;
}

/*
 * The columns are named in the file: instance_id, publish_id, recipients, title. Recipients may be empty (CSV) or null. What is no
 * column or no number is refused with its row, and nothing is filled in for it.
 */
const SETTINGS = [
  "async_insert = 0",
  "input_format_skip_unknown_fields = 0",
  "input_format_null_as_default = 0",
  "input_format_allow_errors_num = 0",
  "input_format_csv_empty_as_default = 1",
  "input_format_with_names_use_header = 1",
  "date_time_input_format = 'best_effort'",
].join(", ");

/**
 * Fills the table `publishes` from a file's bytes; a publish that is there already is replaced, so importing twice is harmless.
 * @throws ClickHouseError naming row and column of what cannot be read. Rows of earlier blocks (about a million rows each) stay.
 */
export async function importPublishes(
  client: ClickHouseClient,
  { database, format, file }: { database: string; format: PublishesFormat; file: Readable },
): Promise<PublishesImport> {
  const { stream } = await client.exec({
    query: `INSERT INTO ${database}.publishes SETTINGS ${SETTINGS} FORMAT ${PUBLISHES_FORMATS[format]}`,
    values: file,
  });
  for await (const _ of stream) {
    // An insert answers nothing; reading to the end frees the connection.
  }
  const result = await client.query({
    query: `SELECT count() AS publishes FROM ${database}.publishes FINAL`,
    format: "JSONEachRow",
  });
  const [row] = await result.json<{ publishes: string }>();
  return { publishes: Number(row?.publishes) };
}
