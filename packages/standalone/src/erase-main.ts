import process from "node:process";
import { runCommand, runErase } from "@push-reports/consumer";
import { openStoppedDatabase } from "./stopped-database.js";

await runCommand(process, runErase, () => openStoppedDatabase(process.env));
