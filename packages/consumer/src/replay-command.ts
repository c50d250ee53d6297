import { parseArgs } from "node:util";
import { systemClock } from "@push-reports/service-kit";
import { ClickHouseStoredReports } from "./clickhouse-stored-reports.js";
import { withClaim } from "./command-claim.js";
import type { OperatorTools } from "./command-environment.js";
import { LOOK_AGAIN_MS } from "./find-bad-records.js";
import { planReplay, type RefusedLetter, replay } from "./replay.js";
import type { BadRecord } from "./row-lines.js";
import type { Command } from "./run-command.js";
import type { DeadLetterFilter } from "./selected-dead-letters.js";

const USAGE = `replay [--dry-run | --yes] [--partition N] [--first N] [--last N] [--reason WORD] [--from TIME] [--to TIME]
Makes rows of dead letters that can be read by now, with their original source, partition and offset.
--from and --to restrict when they were set aside (ISO 8601 with Z or an offset), from the one on and before the other; --first and --last are
offsets, both included. It counts first, and writes only with --yes.
What the database once refused is decided only by trying: what it still refuses is left as it is, and named.
It does not write beside another replay or an erasure. After one that was killed, run it again in a minute and a half, or once the database has
ended the statement that it was at.
Exit code 0: done, or counted. 1: some of them still cannot become rows. 2: it could not be done.
`;

/** Why records are set aside. */
const REASONS: Readonly<Record<BadRecord["reason"], true>> = {
  empty_value: true,
  too_large: true,
  not_utf8: true,
  no_version: true,
  unknown_version: true,
  not_json: true,
  invalid_field: true,
  refused: true,
};

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
    reason: reasonOf(values.reason),
    from: timeOf("--from", values.from),
    to: timeOf("--to", values.to),
  };
  refuseNothingBetween(selected);
  const { statements, database, source } = await open();
  const filter = { source, ...selected };
  write(`to do: ${JSON.stringify(await planReplay({ statements, database }, filter))}\n`);
  if (values["dry-run"] || !values.yes) {
    if (!values["dry-run"]) write("Nothing was written: say --yes to replay.\n");
    return 0;
  }
  let refused = 0;
  const parts = {
    statements,
    database,
    storedReports: new ClickHouseStoredReports(statements, { database, source }),
    pause: () => systemClock.sleep(LOOK_AGAIN_MS),
    onRefused: ({ partition, offset, clickHouseCode }: RefusedLetter) => {
      refused += 1;
      if (refused <= MOST_NAMED)
        write(`still refused: partition ${partition}, offset ${offset}, code ${clickHouseCode}\n`);
    },
  };
  const claimed = { statements, database, clock: systemClock };
  const outcome = await withClaim("replay", claimed, (claim, claimedStatements) =>
    replay({ ...parts, statements: claimedStatements, claim }, filter),
  );
  if (refused > MOST_NAMED) write(`still refused: ${refused - MOST_NAMED} more\n`);
  write(`done: ${JSON.stringify(outcome)}\n`);
  return outcome.stillBad === 0 ? 0 : 1;
}

function numberOf(option: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  if (!/^\d{1,16}$/.test(text)) throw new Error(`${option} must be a whole number, not ${text}`);
  return Number(text);
}

function reasonOf(text: string | undefined): string | null {
  if (text === undefined) return null;
  const reasons = Object.keys(REASONS);
  if (!reasons.includes(text))
    throw new Error(`--reason must be one of ${reasons.join(", ")}, not ${text}`);
  return text;
}

/** A date, or a time that says where on earth: without that it would be another one on each machine. */
const TIME = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?$/;

function timeOf(option: string, text: string | undefined): Date | null {
  if (text === undefined) return null;
  const time = new Date(text);
  if (!TIME.test(text) || Number.isNaN(time.getTime()))
    throw new Error(`${option} must be a time like 2026-01-31T12:00:00Z, not ${text}`);
  return time;
}

/** Bounds that nothing lies between are a slip: their replay would find nothing to do, and look like one that is done. */
function refuseNothingBetween({
  firstOffset,
  lastOffset,
  from,
  to,
}: Pick<DeadLetterFilter, "firstOffset" | "lastOffset" | "from" | "to">): void {
  if (firstOffset !== null && lastOffset !== null && firstOffset > lastOffset)
    throw new Error("--first must not lie behind --last");
  if (from !== null && to !== null && from >= to) throw new Error("--from must lie before --to");
}
