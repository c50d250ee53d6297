import process from "node:process";
import { runProcess } from "@push-reports/service-kit";
import { createConsumerService } from "./service.js";

await runProcess(process, (environment, readFile) => createConsumerService(environment, readFile));
