import process from "node:process";
import { openAnalystDatabase } from "./analyst-command.js";
import { runErase } from "./erase-command.js";
import { runCommand } from "./run-command.js";

await runCommand(process, runErase, () => openAnalystDatabase(process.env));
