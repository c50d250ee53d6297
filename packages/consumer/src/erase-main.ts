import process from "node:process";
import { ERASURE_STATEMENT_SECS, openOperatorTools } from "./command-environment.js";
import { runErase } from "./erase-command.js";
import { runCommand } from "./run-command.js";

await runCommand(process, runErase, () => openOperatorTools(process.env, ERASURE_STATEMENT_SECS));
