import process from "node:process";
import { runCapacity } from "./capacity/capacity-command.js";

process.exitCode = runCapacity(process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  error: (text) => process.stderr.write(text),
});
