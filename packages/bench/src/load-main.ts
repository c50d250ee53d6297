import process from "node:process";
import { generateLoad } from "./load/generate-load.js";
import type { LoadPlan } from "./load/load-plan.js";

/** Takes one plan from the process that forked this one, and answers with its result. */
process.once("message", (plan: LoadPlan) => {
  const ownCpuMs = () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1_000;
  };
  generateLoad(plan, ownCpuMs).then(
    (result) => process.send?.({ result }, () => process.exit(0)),
    (error: unknown) => process.send?.({ failure: String(error) }, () => process.exit(1)),
  );
});
