import process from "node:process";
import { ERASURE_STATEMENT_SECS, runCommand, runErase } from "@push-reports/consumer";
import { openStoppedTools } from "./stopped-database.js";

await runCommand(process, runErase, () => openStoppedTools(process.env, ERASURE_STATEMENT_SECS));
