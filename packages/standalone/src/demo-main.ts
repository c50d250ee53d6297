import process from "node:process";
import { runProcess } from "@push-reports/service-kit";
import { createDemoService } from "./demo.js";

await runProcess(process, (environment, readFile) =>
  createDemoService(environment, readFile, (text) => process.stdout.write(text)),
);
