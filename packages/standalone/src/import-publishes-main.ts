import process from "node:process";
import { runCommand, runImportPublishes } from "@push-reports/consumer";
import { openStoppedDatabase } from "./stopped-database.js";

await runCommand(process, runImportPublishes, () => openStoppedDatabase(process.env));
