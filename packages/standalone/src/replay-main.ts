import process from "node:process";
import { runCommand, runReplay } from "@push-reports/consumer";
import { openStoppedTools } from "./stopped-database.js";

await runCommand(process, runReplay, () => openStoppedTools(process.env));
