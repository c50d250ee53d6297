import { parseArgs } from "node:util";
import type { OperatorTools } from "./command-environment.js";
import type { Command } from "./run-command.js";
import { type Verification, verify } from "./verify.js";

const USAGE = `verify [--since-days N] [--json]
Compares the log's offsets with the ledger and the ledger with the rows of reports and the dead letters, over the ranges of the last N days (7).
Exit code 0: all is as booked. 1: something is missing or doubled. 2: it could not be found out.
`;
const DAY_MS = 86_400_000;

/** Runs the command. @returns the exit code. @throws Error for arguments that cannot be used; WriteError */
export async function runVerify(
  args: readonly string[],
  { open, terminal: { write } }: Command<OperatorTools>,
): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      "since-days": { type: "string", default: "7" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    write(USAGE);
    return 0;
  }
  const days = Number(values["since-days"]);
  if (!(days > 0))
    throw new Error(`--since-days must be a number of days, not ${values["since-days"]}`);
  const { statements, database, source, positions, offsetsSince } = await open();
  const verification = await verify(statements, {
    database,
    source,
    since: new Date(Date.now() - days * DAY_MS),
    readPositions: positions,
    readOffsetsSince: offsetsSince,
  });
  write(values.json ? `${JSON.stringify(verification)}\n` : describe(verification));
  return verification.discrepancies.length === 0 ? 0 : 1;
}

function describe(verification: Verification): string {
  const { partitions, ranges, waitingRecords, absentOffsets, discrepancies, cut } = verification;
  const lines = discrepancies.map(
    ({ kind, partition, first, last, detail }) =>
      `${kind}: partition ${partition}, offsets ${first} to ${last}: ${detail}`,
  );
  const more = cut.map(({ kind, unlisted }) => `${kind}: ${unlisted} more, which are not listed`);
  const found = cut.reduce((sum, { unlisted }) => sum + unlisted, discrepancies.length);
  const summary = `${ranges} ranges of ${partitions} partitions, ${waitingRecords} records waiting, ${absentOffsets} offsets absent, ${found} discrepancies`;
  return `${[...lines, ...more, summary].join("\n")}\n`;
}
