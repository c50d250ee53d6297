// The consumer as built, which kills itself without a word when a range reaches CRASH_AT_STEP for the CRASH_AT_COUNT-th time.
import process from "node:process";
import { runProcess } from "@push-reports/service-kit";
import { createConsumerService } from "../../dist/index.js";

let left = Number(process.env["CRASH_AT_COUNT"] ?? 1);
const crash = {
  reached: async (step) => {
    if (step !== process.env["CRASH_AT_STEP"]) return;
    left -= 1;
    if (left <= 0) process.kill(process.pid, "SIGKILL");
  },
  setAside: () => undefined,
  completed: () => undefined,
};

await runProcess(process, (environment, readFile) =>
  createConsumerService(environment, readFile, [crash]),
);
