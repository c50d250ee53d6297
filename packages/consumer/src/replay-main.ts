import process from "node:process";
import { openOperatorTools } from "./command-environment.js";
import { runReplay } from "./replay-command.js";
import { runCommand } from "./run-command.js";

await runCommand(process, runReplay, () => openOperatorTools(process.env));
