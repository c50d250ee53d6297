import { createReadStream } from "node:fs";
import { extname } from "node:path";
import { parseArgs } from "node:util";
import type { AnalystDatabase } from "./analyst-command.js";
import { importPublishes, type PublishesFormat } from "./publishes-import.js";
import type { Command } from "./run-command.js";

const USAGE = `import-publishes FILE [--format csv|ndjson]
Fills the table publishes with what is known of publishes: instance_id, publish_id, recipients (may be empty) and title.
A CSV file names its columns in the first line. A publish that is there already is replaced.
Exit code 0: imported. 2: it could not be done; the error names the row.
`;

const FORMATS: Readonly<Record<string, PublishesFormat>> = {
  csv: "csv",
  ndjson: "ndjson",
  jsonl: "ndjson",
};

/** Runs the command. @returns the exit code. @throws Error for arguments that cannot be used; ClickHouseError */
export async function runImportPublishes(
  args: readonly string[],
  { open, terminal }: Command<AnalystDatabase>,
): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { format: { type: "string" }, help: { type: "boolean", default: false } },
  });
  const [path, ...more] = positionals;
  if (values.help || path === undefined || more.length > 0) {
    terminal.write(USAGE);
    return values.help ? 0 : 2;
  }
  const format = FORMATS[values.format ?? extname(path).slice(1).toLowerCase()];
  if (format === undefined)
    throw new Error(`Say --format csv or --format ndjson: the name of ${path} does not tell`);
  const { client, database } = await open();
  const file = createReadStream(path);
  const { publishes } = await importPublishes(client, { database, format, file });
  terminal.write(`imported; ${publishes} publishes are known\n`);
  return 0;
}
