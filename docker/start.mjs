/** The image's entry: `start.mjs <command> [arguments]` runs the command in this very process. */
import { constants } from "node:os";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { COMMANDS } from "./commands.mjs";

const [name = "", ...commandArguments] = process.argv.slice(2);
if (Object.hasOwn(COMMANDS, name)) {
  endOnSignals();
  const module = new URL(`../${COMMANDS[name].module}`, import.meta.url);
  process.argv = [process.execPath, fileURLToPath(module), ...commandArguments];
  await import(module.href);
} else {
  const fault = name === "" ? "No command was given." : `There is no command "${name}".`;
  process.stderr.write(`${fault} Commands: ${Object.keys(COMMANDS).join(", ")}\n`);
  process.exitCode = 64;
}

/** The kernel spares process 1 whatever signal it does not handle: end, unless the command handles it by itself. */
function endOnSignals() {
  for (const signal of ["SIGTERM", "SIGINT"])
    process.on(signal, () => {
      if (process.listenerCount(signal) === 1) process.exit(128 + constants.signals[signal]);
    });
}
