import process from "node:process";
import { parseArgs } from "node:util";
import { ClickHouseStoredReports } from "./clickhouse-stored-reports.js";
import { createCommandTools, explain, readCommandConfig } from "./command-environment.js";
import { planReplay, type ReplayFilter, replay } from "./replay.js";

const USAGE = `replay [--dry-run | --yes] [--partition N] [--first N] [--last N] [--reason WORD] [--from TIME] [--to TIME]
Makes rows of dead letters that can be read by now, with their original source, partition and offset.
--from and --to restrict when they were set aside (ISO 8601). It counts first, and writes only with --yes.
Exit code 0: done, or counted. 1: some of them still cannot become rows. 2: it could not be done.
`;

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(explain(error));
  process.exitCode = 2;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      "dry-run": { type: "boolean", default: false },
      yes: { type: "boolean", default: false },
      partition: { type: "string" },
      first: { type: "string" },
      last: { type: "string" },
      reason: { type: "string" },
      from: { type: "string" },
      to: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const config = readCommandConfig(process.env);
  const { source } = config.command;
  const filter: ReplayFilter = {
    source,
    partition: numberOf("--partition", values.partition),
    firstOffset: numberOf("--first", values.first),
    lastOffset: numberOf("--last", values.last),
    reason: values.reason ?? null,
    from: timeOf("--from", values.from),
    to: timeOf("--to", values.to),
  };
  const { client, statements, database } = createCommandTools(config);
  try {
    const storedReports = new ClickHouseStoredReports(statements, { database, source });
    const parts = { statements, storedReports, database };
    const plan = await planReplay(parts, filter);
    process.stdout.write(`to do: ${JSON.stringify(plan)}\n`);
    if (values["dry-run"] || !values.yes) {
      if (!values["dry-run"]) process.stdout.write("Nothing was written: say --yes to replay.\n");
      return 0;
    }
    const outcome = await replay(parts, filter);
    process.stdout.write(`done: ${JSON.stringify(outcome)}\n`);
    return outcome.stillBad === 0 ? 0 : 1;
  } finally {
    await client.close();
  }
}

function numberOf(option: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  if (!/^\d{1,16}$/.test(text)) throw new Error(`${option} must be a whole number, not ${text}`);
  return Number(text);
}

function timeOf(option: string, text: string | undefined): Date | null {
  if (text === undefined) return null;
  const time = new Date(text);
  if (Number.isNaN(time.getTime()))
    throw new Error(`${option} must be a time like 2026-01-31T12:00:00Z, not ${text}`);
  return time;
}
