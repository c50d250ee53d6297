import { parseArgs } from "node:util";
import { systemClock } from "@push-reports/service-kit";
import { ClickHouseStoredReports } from "./clickhouse-stored-reports.js";
import type { OperatorTools } from "./command-environment.js";
import { LOOK_AGAIN_MS } from "./find-bad-records.js";
import { planReplay, type RefusedLetter, replay } from "./replay.js";
import type { Command } from "./run-command.js";

const USAGE = `replay [--dry-run | --yes] [--partition N] [--first N] [--last N] [--reason WORD] [--from TIME] [--to TIME]
Makes rows of dead letters that can be read by now, with their original source, partition and offset.
--from and --to restrict when they were set aside (ISO 8601). It counts first, and writes only with --yes.
What the database once refused is decided only by trying: what it still refuses is left as it is, and named.
Exit code 0: done, or counted. 1: some of them still cannot become rows. 2: it could not be done.
`;

/** Dead letters that are named one by one. */
const MOST_NAMED = 1_000;

/** Runs the command. @returns the exit code. @throws Error for arguments that cannot be used; WriteError */
export async function runReplay(
  args: readonly string[],
  { open, terminal: { write } }: Command<OperatorTools>,
): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
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
    write(USAGE);
    return 0;
  }
  const selected = {
    partition: numberOf("--partition", values.partition),
    firstOffset: numberOf("--first", values.first),
    lastOffset: numberOf("--last", values.last),
    reason: values.reason ?? null,
    from: timeOf("--from", values.from),
    to: timeOf("--to", values.to),
  };
  const { statements, database, source } = await open();
  const filter = { source, ...selected };
  const storedReports = new ClickHouseStoredReports(statements, { database, source });
  let refused = 0;
  const parts = {
    statements,
    storedReports,
    database,
    pause: () => systemClock.sleep(LOOK_AGAIN_MS),
    onRefused: ({ partition, offset, clickHouseCode }: RefusedLetter) => {
      refused += 1;
      if (refused <= MOST_NAMED)
        write(`still refused: partition ${partition}, offset ${offset}, code ${clickHouseCode}\n`);
    },
  };
  write(`to do: ${JSON.stringify(await planReplay(parts, filter))}\n`);
  if (values["dry-run"] || !values.yes) {
    if (!values["dry-run"]) write("Nothing was written: say --yes to replay.\n");
    return 0;
  }
  const outcome = await replay(parts, filter);
  if (refused > MOST_NAMED) write(`still refused: ${refused - MOST_NAMED} more\n`);
  write(`done: ${JSON.stringify(outcome)}\n`);
  return outcome.stillBad === 0 ? 0 : 1;
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
