import process from "node:process";
import { openOperatorTools } from "./command-environment.js";
import { runCommand } from "./run-command.js";
import { runVerify } from "./verify-command.js";

await runCommand(process, runVerify, () => openOperatorTools(process.env));
