import process from "node:process";
import { runProcess } from "@push-reports/service-kit";
import { createStandaloneService } from "./service.js";

await runProcess(process, (environment, readFile) =>
  createStandaloneService(environment, readFile, { print: (text) => process.stdout.write(text) }),
);
