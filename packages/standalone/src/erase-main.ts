import process from "node:process";
import { runCommand, runErase } from "@push-reports/consumer";
import { openStoppedTools } from "./stopped-database.js";

await runCommand(process, runErase, () => openStoppedTools(process.env));
