// The consumer as built, with an observer that holds a range at a step when the test says so, until the test lets it go on.
import process from "node:process";
import { runProcess } from "@push-reports/service-kit";
import { createConsumerService } from "../../../dist/index.js";

/** `{ step, after }`: the step at which to hold, and how many ranges must reach it for that; null for none. */
let hold = null;
let goOn = () => undefined;

process.on("message", (message) => {
  if ("hold" in message) hold = message.hold;
  if (message.goOn) goOn();
});
// Without the test there is nobody to end this process.
process.on("disconnect", () => process.exit(1));
// Once the process takes signals, which is a turn of the event loop from here.
setImmediate(() => process.send({ mutant: globalThis.appliedMutant ?? null }));

/** Beside the consumer's own log, so that a schedule that fails shows how far each range got. */
const trace = (event, fields) =>
  process.stderr.write(`${JSON.stringify({ time: new Date().toISOString(), event, ...fields })}\n`);

const observer = {
  reached: async (step, { partition, first, last }) => {
    trace("step", { step, partition, first, last });
    if (hold?.step !== step) return;
    hold.after -= 1;
    if (hold.after > 0) return;
    hold = null;
    trace("held", { step, partition, first, last });
    await new Promise((resolve) => {
      goOn = resolve;
      process.send({ held: { step, partition, first, last } });
    });
    trace("let_go", { step, partition, first, last });
  },
  setAside: () => undefined,
  completed: () => undefined,
};

await runProcess(process, (environment, readFile) =>
  createConsumerService(environment, readFile, [observer]),
);
