import process from "node:process";
import { openOperatorTools } from "./command-environment.js";
import { runErase } from "./erase-command.js";
import { runCommand } from "./run-command.js";

/** How long one statement may take, s: an erasure rewrites parts of tables. */
const STATEMENT_SECS = 3_600;

await runCommand(process, runErase, () => openOperatorTools(process.env, STATEMENT_SECS));
