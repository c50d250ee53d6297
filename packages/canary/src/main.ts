import process from "node:process";
import { runProcess } from "@push-reports/service-kit";
import { createCanaryService } from "./service.js";

await runProcess(process, createCanaryService);
