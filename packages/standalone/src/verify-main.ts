import process from "node:process";
import { runCommand, runVerify } from "@push-reports/consumer";
import { openStoppedTools } from "./stopped-database.js";

await runCommand(process, runVerify, () => openStoppedTools(process.env));
