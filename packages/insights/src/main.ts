import process from "node:process";
import { runProcess } from "@push-reports/service-kit";
import { createInsightsService } from "./service.js";

await runProcess(process, createInsightsService);
