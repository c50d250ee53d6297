// The consumer as built, which kills itself without a word when a range reaches CRASH_AT_STEP for the CRASH_AT_COUNT-th time,
// or stands still for ever when a range of partition HANG_AT_PARTITION reaches HANG_AT_STEP. Its clock can be behind.
import process from "node:process";
import { runProcess } from "@push-reports/service-kit";
import { createConsumerService } from "../../dist/index.js";

// Everything takes the time from here, kafkajs included.
const behindMs = Number(process.env["CLOCK_BEHIND_MS"] ?? 0);
const now = Date.now;
Date.now = () => now() - behindMs;

let left = Number(process.env["CRASH_AT_COUNT"] ?? 1);
const crash = {
  reached: async (step, { partition }) => {
    if (
      step === process.env["HANG_AT_STEP"] &&
      partition === Number(process.env["HANG_AT_PARTITION"])
    )
      await new Promise(() => undefined);
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
