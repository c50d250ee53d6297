import { parseArgs } from "node:util";
import { explain, systemClock } from "@push-reports/service-kit";
import { ClickHouseLedger } from "./clickhouse-ledger.js";
import { withClaim } from "./command-claim.js";
import type { OperatorTools } from "./command-environment.js";
import { erase, isAnything, planErasure } from "./erase.js";
import { readSubject } from "./erasure-subject.js";
import { WriteError } from "./report-writer.js";
import type { Command, Terminal } from "./run-command.js";
import { type UnbookedStretch, untilBooked } from "./unbooked-records.js";

const USAGE = `erase --instance ID (--user ID | --device ID) [--yes] [--wait-secs N]
Removes every report, notification and dead letter of a user or a device of an instance, and makes the roll-ups anew without it.
It shows what it would remove, then asks; --yes answers for you. What dies on the way is completed by running it again.
What the log holds and consumers have not completed would become rows afterwards: it waits for that, N seconds in all (60).
It does not run beside a replay or another erasure. After one that was killed, run it again in a minute and a half, or once the database has
ended the statement that it was at.
Exit code 0: nothing is left. 1: something is left or not completed yet, or nothing was done. 2: it could not be done.
`;

const OUT_OF_REACH = `Not within reach of this command:
  - records on the topic and the dead-letter topic, until their retention ends;
  - reports that wait in a gateway's spill: they become rows later, so run it again then;
  - backups, exports, and ClickHouse's own query log;
  - the table publishes, which knows no users and no devices.
`;

/** Partitions that are named one by one. */
const MOST_NAMED = 100;

/** Runs the command. @returns the exit code. @throws Error for arguments that cannot be used; WriteError; ClaimError */
export async function runErase(
  args: readonly string[],
  { open, terminal }: Command<OperatorTools>,
): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      instance: { type: "string" },
      user: { type: "string" },
      device: { type: "string" },
      yes: { type: "boolean", default: false },
      "wait-secs": { type: "string", default: "60" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    terminal.write(USAGE);
    return 0;
  }
  const subject = readSubject(values);
  const waitSecs = values["wait-secs"];
  if (!/^\d{1,5}$/.test(waitSecs))
    throw new Error(`--wait-secs must be a whole number of seconds, not ${waitSecs}`);
  const tools = await open();
  const plan = await planErasure(tools, subject);
  terminal.write(`to remove: ${JSON.stringify(plan)}\n`);
  if (plan.unattributable > 0)
    terminal.write(
      `${plan.unattributable} unreadable dead letters mention the id without an instance and stay: look at them in dead_letters\n`,
    );
  if (isAnything(plan) && !values.yes && !(await isAgreed(terminal))) {
    terminal.write("Nothing was removed: say --yes to remove it.\n");
    return 1;
  }
  // Also with nothing to remove: an erasure that died before its last step is completed by this.
  const settling = settlingOf(tools, Number(waitSecs), () =>
    terminal.write("waiting until consumers have completed what the log holds\n"),
  );
  const { removed, left } = await withClaim(
    "erase",
    { ...tools, clock: systemClock },
    (claim, statements) => erase({ ...tools, statements, claim, settle: settling.settle }, subject),
  );
  terminal.write(`removed: ${JSON.stringify(removed)}\nleft: ${JSON.stringify(left)}\n`);
  terminal.write(OUT_OF_REACH);
  const unsettled = settling.unsettled();
  terminal.write(unsettled);
  return isAnything(left) || unsettled !== "" ? 1 : 0;
}

/** Waits for the log in several goes, together no longer than said, and knows how the last one ended. */
function settlingOf(
  { statements, database, source, positions, mayBeConsumed }: OperatorTools,
  waitSecs: number,
  onWait: () => void,
) {
  const ledger = new ClickHouseLedger(statements, { database, source });
  const deadline = systemClock.now() + (mayBeConsumed ? waitSecs * 1_000 : 0);
  let unsettled = "";
  return {
    settle: async () => {
      try {
        const parts = { ledger, positions, clock: systemClock, onWait };
        unsettled = describe(await untilBooked(parts, deadline));
      } catch (error) {
        if (error instanceof WriteError) throw error;
        // What is there is removed all the same.
        unsettled = `The log could not be asked what is still to become rows, so run it again: ${explain(error)}`;
      }
    },
    /** Why what is left may not be all; empty when it is. */
    unsettled: () => unsettled,
  };
}

function describe(unbooked: readonly UnbookedStretch[]): string {
  if (unbooked.length === 0) return "";
  const named = unbooked
    .slice(0, MOST_NAMED)
    .map(
      ({ partition, first, last }) => `  - partition ${partition}, offsets ${first} to ${last}\n`,
    );
  const more =
    unbooked.length > MOST_NAMED ? `  - ${unbooked.length - MOST_NAMED} more partitions\n` : "";
  return `Not completed by consumers yet, so that reports of the subject may become rows later:\n${named.join("")}${more}Run it again once they are: verify then says that no records are waiting.\n`;
}

async function isAgreed({ ask }: Terminal): Promise<boolean> {
  if (ask === null) return false;
  return (await ask("Remove it for good? Type yes: ")).trim().toLowerCase() === "yes";
}
