import { parseArgs } from "node:util";
import type { AnalystDatabase } from "./analyst-command.js";
import { erase, isAnything, planErasure } from "./erase.js";
import { readSubject } from "./erasure-subject.js";
import type { Command, Terminal } from "./run-command.js";

const USAGE = `erase --instance ID (--user ID | --device ID) [--yes]
Removes every report, notification and dead letter of a user or a device of an instance, and makes the roll-ups anew without it.
It shows what it would remove, then asks; --yes answers for you. What dies on the way is completed by running it again.
Exit code 0: nothing is left. 1: something is left, or nothing was done. 2: it could not be done.
`;

const OUT_OF_REACH = `Not within reach of this command:
  - records on the topic and the dead-letter topic, until their retention ends;
  - reports that wait in a gateway's spill or in standalone's log: they become rows later, so run it again then;
  - backups, exports, and ClickHouse's own query log;
  - the table publishes, which knows no users and no devices.
`;

/** Runs the command. @returns the exit code. @throws Error for arguments that cannot be used; ClickHouseError */
export async function runErase(
  args: readonly string[],
  { open, terminal }: Command<AnalystDatabase>,
): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      instance: { type: "string" },
      user: { type: "string" },
      device: { type: "string" },
      yes: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    terminal.write(USAGE);
    return 0;
  }
  const subject = readSubject(values);
  const parts = await open();
  const plan = await planErasure(parts, subject);
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
  const { removed, left } = await erase(parts, subject);
  terminal.write(`removed: ${JSON.stringify(removed)}\nleft: ${JSON.stringify(left)}\n`);
  terminal.write(OUT_OF_REACH);
  return isAnything(left) ? 1 : 0;
}

async function isAgreed({ ask }: Terminal): Promise<boolean> {
  if (ask === null) return false;
  return (await ask("Remove it for good? Type yes: ")).trim().toLowerCase() === "yes";
}
