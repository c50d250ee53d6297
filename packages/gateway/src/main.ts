import process from "node:process";
import { runProcess } from "@push-reports/service-kit";
import { createGatewayService } from "./service.js";

await runProcess(process, createGatewayService);
