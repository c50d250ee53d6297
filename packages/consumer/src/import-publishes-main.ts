import process from "node:process";
import { openAnalystDatabase } from "./analyst-command.js";
import { runImportPublishes } from "./import-publishes-command.js";
import { runCommand } from "./run-command.js";

await runCommand(process, runImportPublishes, () => openAnalystDatabase(process.env));
